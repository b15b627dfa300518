"""Background tasks are kept, named, and never fail in silence."""

import asyncio
import gc
import logging
import weakref

from trunkline.transport.tasks import spawn


def test_it_returns_the_result_and_sets_the_name():
    async def answer():
        return 42

    async def main():
        task = spawn(answer(), name="the answer")
        assert task.get_name() == "the answer"
        return await task

    assert asyncio.run(main()) == 42


def test_a_task_nobody_else_holds_runs_to_its_end():
    done = []

    async def work(gate):
        await gate
        done.append(True)

    async def main():
        gate = asyncio.get_running_loop().create_future()
        task = weakref.ref(spawn(work(gate), name="held"))
        await asyncio.sleep(0)
        gc.collect()
        assert task() is not None
        gate.set_result(None)
        for _ in range(3):
            await asyncio.sleep(0)
        del gate
        gc.collect()
        assert task() is None

    asyncio.run(main())
    assert done == [True]


def test_an_error_is_logged_and_a_cancellation_is_not(caplog):
    async def fail():
        raise LookupError("broken")

    async def main():
        spawn(fail(), name="failing")
        spawn(asyncio.sleep(10), name="stopped").cancel()
        for _ in range(3):
            await asyncio.sleep(0)

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert [record.getMessage() for record in caplog.records] == ["task failing failed"]
    assert caplog.records[0].exc_info[1].args == ("broken",)
