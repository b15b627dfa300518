from trunkline.mock.fields import joined, mapping, mappings, number, sequence, string, walk


def test_what_is_of_another_type_is_empty() -> None:
    assert (mapping([1]), sequence({}), string(1), number("1"), number(True)) == ({}, [], "", None, None)
    assert list(mappings([1, {"a": 2}])) == [{}, {"a": 2}]


def test_the_text_of_a_content() -> None:
    assert joined("plain") == "plain"
    assert joined([{"text": "a"}, {"image": 1}, {"text": None}, "x", {"text": "b"}]) == "a b"
    assert joined(None) == ""


def test_every_object_inside() -> None:
    assert list(walk([{"a": {"b": [{"c": 1}]}}, 3])) == [{"a": {"b": [{"c": 1}]}}, {"b": [{"c": 1}]}, {"c": 1}]
