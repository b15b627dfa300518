import pytest

from trunkline.errors import ApiError
from trunkline.inference.skins import SKINS, Skin

BODIES = {
    "chat": b'{"model":"a/m","messages":[{"role":"user","content":"hi"}]}',
    "messages": b'{"model":"a/m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}',
    "responses": b'{"model":"a/m","input":"hi"}',
}


@pytest.mark.parametrize("path", SKINS)
def test_each_operation_reads_its_dialect_and_can_leave_it(path: str) -> None:
    skin = SKINS[path]
    body = b'{"model":"a/m","prompt":"hi"}' if path == "/api/v1/completions" else BODIES[skin.dialect]
    request = skin.parse(body)
    assert (request.dialect, request.models) == (skin.dialect, ("a/m",))
    assert [turn.role for turn in skin.conversation(request).turns] == ["user"]


@pytest.mark.parametrize("skin", SKINS.values(), ids=list(SKINS))
def test_each_operation_names_what_is_wrong(skin: Skin) -> None:
    with pytest.raises(ApiError) as caught:
        skin.parse(b'{"model":5}')
    assert caught.value.message.startswith("model: ")
    assert b"model: " in skin.render(caught.value)
