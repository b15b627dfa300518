"""A sync of the catalogue beside a running server: what it wrote counts from the next reload, and for requests that begin after it."""

import signal
import threading
from pathlib import Path

import msgspec
from clients import Answer, chat, get, until
from gateway import Gateway
from town import provider, town

from trunkline.catalogue.sync import apply, compare_with
from trunkline.mock.script import Answer as Said
from trunkline.mock.script import Pace, Rule
from trunkline.mock.thread import MockServer

MODEL = "acme/synced"
USAGE: dict[str, object] = {"prompt_tokens": 1000, "completion_tokens": 100}


def sync(gateway: Gateway, prompt: str) -> None:
    """Takes over a list in which the model has this price."""
    row = {"id": MODEL, "name": "Synced", "pricing": {"prompt": prompt, "completion": "0"}}
    comparison = compare_with("openrouter", msgspec.json.encode({"data": [row]}), "list.json", gateway.data_dir)
    apply(comparison, gateway.data_dir)


def price(gateway: Gateway) -> str | None:
    """The price that the running server shows."""
    answer = get(gateway, f"/model/{MODEL}")
    return str(answer.json["data"]["pricing"]["prompt"]) if answer.status == 200 else None


def test_a_stream_is_charged_at_the_price_with_which_it_began(upstream: MockServer, tmp_path: Path) -> None:
    upstream.use(Rule(answer=Said(events=60, usage=USAGE), pace=Pace(event_ms=100)))
    with Gateway(tmp_path, town(upstream.url) + provider("openrouter", upstream.url)) as gateway:
        sync(gateway, "0.000001")
        gateway.signal(signal.SIGHUP)
        until(lambda: price(gateway) == "0.000001")
        answers: list[Answer] = []
        stream = threading.Thread(target=lambda: answers.append(chat(gateway, model=MODEL, stream=True)))
        stream.start()
        upstream.wait(lambda seen: len(seen) == 1)
        sync(gateway, "0.000003")
        gateway.signal(signal.SIGHUP)
        until(lambda: price(gateway) == "0.000003")
        assert not answers, "the stream ended before the reload"
        stream.join()
        upstream.use(Rule(answer=Said(usage=USAGE)))
        assert (answers[0].usage["cost"], chat(gateway, model=MODEL).usage["cost"]) == (0.001, 0.003)
