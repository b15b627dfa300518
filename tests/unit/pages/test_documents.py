"""The reference pages and the texts for machines."""

from trunkline.catalogue.catalogue import Catalogue
from trunkline.errors import STATUS_OF_TYPE
from trunkline.pages import documents
from trunkline.pages.services import Operation


def test_the_eleven_availability_codes_of_the_contract() -> None:
    assert {code.code: (code.status, code.retry) for code in documents.AVAILABILITY_CODES} == {
        "model_not_found": (400, False),
        "wrong_endpoint": (400, False),
        "no_endpoints": (404, False),
        "model_deprecated": (404, False),
        "model_unavailable_upstream": (404, False),
        "capacity_exhausted": (429, True),
        "temporarily_unavailable": (503, True),
        "region_restricted": (403, False),
        "privacy_restricted": (404, False),
        "constraint_filtered": (404, False),
        "free_variant_ended": (404, False),
    }


def test_error_types_by_status() -> None:
    groups = documents.error_types()
    assert {name: group.status for group in groups for name in group.names} == STATUS_OF_TYPE
    assert [group.status for group in groups] == sorted(set(STATUS_OF_TYPE.values()))


def test_tags_with_something_live_come_first_and_live_rows_first_in_them() -> None:
    rows = [
        Operation("GET", "/b", "key", "Big Tag", "planned", ""),
        Operation("GET", "/z", "key", "Zoo", "planned", ""),
        Operation("POST", "/z", "key", "Zoo", "live", ""),
    ]
    groups = documents.operation_groups(rows)
    assert [(group.tag, group.anchor, group.live) for group in groups] == [("Zoo", "zoo", 1), ("Big Tag", "big-tag", 0)]
    assert [operation.method for operation in groups[0].operations] == ["POST", "GET"]


def test_crawlers_stay_out_of_the_api() -> None:
    assert documents.robots() == "User-agent: *\nDisallow: /api/\n"


def test_the_text_for_language_models_lists_what_can_be_called(catalogue: Catalogue, empty: Catalogue) -> None:
    text = documents.llms(catalogue, "https://gateway.example")
    assert text.startswith("# Trunkline\n")
    assert "- [Acme: Echo 1](https://gateway.example/acme/echo-1): `acme/echo-1`" in text
    assert "zeta/vector-1" not in text
    assert "None yet" in documents.llms(empty, "")
