"""One worker of a gateway, as far as money goes: `spender.py DATA_DIR KEY_HASH REQUESTS SECONDS` starts calls and prints their cost.

A refused call tries again until SECONDS have passed. Charges reach the ledger in batches from a thread, as they do from the recorder.
"""

import asyncio
import os
import queue
import random
import sys
import threading
import time

from trunkline import settings
from trunkline.accounts.ledger_store import LedgerEntry, settle_batch
from trunkline.errors import ApiError
from trunkline.limits.budgets import Budgets
from trunkline.protocol.identity import uuid7
from trunkline.protocol.principal import Principal
from trunkline.storage.engines import Storage, open_storage

ESTIMATE = 4_000_000_000


def write_ledger(storage: Storage, entries: "queue.SimpleQueue[LedgerEntry | None]") -> None:
    connection = storage.connect_control()
    ended = False
    while not ended:
        batch = [entries.get()]
        time.sleep(0.02)
        while not entries.empty():
            batch.append(entries.get())
        ended = None in batch
        settle_batch(connection, storage.worker_id, [entry for entry in batch if entry is not None])
    connection.close()


async def call(budgets: Budgets, principal: Principal, entries: "queue.SimpleQueue[LedgerEntry | None]", until: float) -> int:
    while True:
        try:
            hold = budgets.reserve_now(principal, ESTIMATE) or await budgets.reserve(principal, ESTIMATE)
            break
        except ApiError as error:
            assert error.status == 402
            if time.monotonic() > until:
                return 0
            await asyncio.sleep(random.uniform(0.05, 0.2))
    await asyncio.sleep(random.uniform(0, 0.02))
    cost = random.randint(ESTIMATE // 2, ESTIMATE)
    now = time.time_ns() // 1_000_000
    entries.put(LedgerEntry(uuid7(now, os.urandom(10)), principal.key_hash, cost, now))
    budgets.settle(hold, cost)
    return cost


async def spend(data_dir: str, key_hash: str, requests: int, seconds: float) -> int:
    storage = open_storage(settings.load({"data_dir": data_dir}, os.environ))
    budgets = Budgets(storage)
    await budgets.start()
    entries: queue.SimpleQueue[LedgerEntry | None] = queue.SimpleQueue()
    writer = threading.Thread(target=write_ledger, args=(storage, entries))
    writer.start()
    principal = Principal(key_hash, "inference", "k", "k", "w", limited=True)
    until = time.monotonic() + seconds
    costs = await asyncio.gather(*(call(budgets, principal, entries, until) for _ in range(requests)))
    entries.put(None)
    await asyncio.to_thread(writer.join)
    await budgets.close()
    await storage.close()
    return sum(costs)


if __name__ == "__main__":
    print(asyncio.run(spend(sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]))))
