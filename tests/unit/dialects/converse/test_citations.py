import msgspec
import pytest

from trunkline.dialects.converse.citations import annotation


def test_a_web_citation_is_an_annotation() -> None:
    made = annotation(
        {
            "title": "AWS",
            "location": {"web": {"url": "https://aws.test/a", "domain": "aws.test"}},
            "sourceContent": [{"text": "a"}, {"text": "b"}],
        }
    )
    assert made is not None
    assert msgspec.json.decode(made) == {
        "type": "url_citation",
        "url_citation": {"url": "https://aws.test/a", "title": "AWS", "content": "ab"},
    }


def test_a_source_may_be_the_address() -> None:
    made = annotation({"source": "https://a.test/", "title": None, "location": {"documentChar": {"start": 1}}})
    assert made is not None
    assert msgspec.json.decode(made)["url_citation"] == {"url": "https://a.test/", "title": "https://a.test/"}


@pytest.mark.parametrize("citation", [{}, {"source": "doc 1"}, {"location": {"web": {"url": 1}}}, {"location": 1, "sourceContent": 2}])
def test_a_citation_without_an_address_has_none(citation: dict[str, object]) -> None:
    assert annotation(citation) is None
