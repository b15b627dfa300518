from msgspec import Raw

from trunkline.dialects.chat.request import parse
from trunkline.protocol.request import InboundRequest


def test_a_chat_request_is_an_inbound_request() -> None:
    request = parse(b'{"model":"a/b","messages":[{"role":"user","content":"hi"}],"x":1}')
    assert isinstance(request, InboundRequest)
    assert (request.dialect, request.model, request.models, request.prompt_bytes) == ("chat", "a/b", ("a/b",), 2)
    assert request.fields["x"] == Raw(b"1")
