"""What one worker learns of an endpoint, the other knows before its next request."""

import asyncio
import sys
from pathlib import Path

import pytest
from clients import chat, chat_body, crowd
from gateway import Gateway
from town import endpoint, model, provider

from trunkline.mock.script import Fault, Match, Rule
from trunkline.mock.thread import MockServer

DEARER = '{ prompt = "0.000004", completion = "0.000008" }'
REST_SECONDS = 300
CROWD = 40


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the board lies on disk, which the unit tests show")
def test_an_endpoint_that_asked_one_worker_for_a_rest_gets_it_from_both(upstream: MockServer, tmp_path: Path) -> None:
    upstream.use(Rule(match=Match(model="bad"), fault=Fault(kind="status", status=503, retry_after=REST_SECONDS)))
    endpoints = endpoint("acme/twice", "acme", "bad") + endpoint("acme/twice", "beta", "good", pricing=DEARER)
    config = "\n".join((provider("acme", upstream.url), provider("beta", upstream.url), model("acme/twice"), endpoints))
    with Gateway(tmp_path, config, arguments=("--workers", "2")) as gateway:
        tried = 0
        while not tried:  # the dearer endpoint may be drawn first, though rarely
            assert chat(gateway, model="acme/twice").status == 200
            tried = [one.model for one in upstream.seen()].count("bad")
        assert tried == 1
        answers = asyncio.run(crowd(gateway, [chat_body(model="acme/twice")] * CROWD, at_once=CROWD))
        assert [one.status for one in answers if one is not None] == [200] * CROWD
        assert [one.model for one in upstream.seen()].count("bad") == 1
