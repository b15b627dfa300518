"""The parameters of `GET /models` against OpenRouter's OpenAPI file, where that is at hand."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from trunkline.catalogue.query import CATEGORIES, LARGEST_LIMIT, SORTS, ModelQuery, parse_query

DOCUMENT = Path(__file__).parents[3].parent / "shared" / "openrouter" / "openapi.yaml"
EXTENSIONS = {"available"}
OF_THE_HOST = {"host_region"}
"""Fields that no parameter fills."""

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason="OpenRouter's OpenAPI file is not at hand")


@pytest.fixture(scope="module")
def parameters() -> dict[str, dict[str, Any]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = yaml.load(DOCUMENT.read_text(encoding="utf-8"), loader)
    return {row["name"]: row["schema"] for row in document["paths"]["/models"]["get"]["parameters"] if row["in"] == "query"}


def test_every_parameter_is_known_and_no_other(parameters: dict[str, dict[str, Any]]) -> None:
    assert set(ModelQuery.__struct_fields__) == set(parameters) | EXTENSIONS | OF_THE_HOST
    assert parse_query({"host_region": ["eu"]}) == parse_query({})


def test_every_example_of_the_file_is_understood(parameters: dict[str, dict[str, Any]]) -> None:
    for name, schema in parameters.items():
        example = schema["example"]
        assert getattr(parse_query({name: [str(example)]}), name) is not None, name


def test_the_fixed_words_are_the_files(parameters: dict[str, dict[str, Any]]) -> None:
    assert set(CATEGORIES) == set(parameters["category"]["enum"])
    assert set(SORTS) == set(parameters["sort"]["enum"])
    assert parameters["limit"]["maximum"] == LARGEST_LIMIT
