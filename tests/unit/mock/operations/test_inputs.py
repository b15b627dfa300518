import pytest

from trunkline.mock.call import Asked
from trunkline.mock.operations.inputs import call_of, texts_of


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("a b", ("a b",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ("1 2",)),
        ([[1, 2], [3]], ("1 2", "3")),
        ([{"text": "a"}, {"content": [{"type": "text", "text": "b"}]}], ("a", "b")),
        ([], ()),
        (None, ()),
    ],
)
def test_inputs_of_any_form(given: object, texts: tuple[str, ...]) -> None:
    assert texts_of(given) == texts


def test_the_call_counts_words_and_knows_the_model_of_body_or_path() -> None:
    call = call_of(Asked(path="/", body={"model": "m"}), ("a b", "c"))
    assert (call.model, call.text, call.words) == ("m", "c", 3)
    assert call_of(Asked(path="/", model="p", body={"model": "m"}), ()).model == "p"
