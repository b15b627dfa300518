import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trunkline.metering.schemas import MAX_BYTES
from trunkline.metering.tool_calls import ToolEvidence, ToolJudge

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city"],
    "additionalProperties": False,
}


def evidence(schema: object, *calls: tuple[str, str], name: str = "weather") -> ToolEvidence:
    function = {"name": name, "description": "d"} | ({} if schema is None else {"parameters": schema})
    return ToolEvidence(tools_json=msgspec.json.encode([{"type": "function", "function": function}]), calls=calls)


@pytest.mark.parametrize(
    ("call", "verdict"),
    [
        (("weather", '{"city": "Bern"}'), "Valid"),
        (("weather", '{"city": "Bern", "days": 2}'), "Valid"),
        (("weather", '{"city": "Bern", "days": 2.5}'), "SchemaMismatch"),
        (("weather", '{"town": "Bern"}'), "SchemaMismatch"),
        (("weather", '"Bern"'), "SchemaMismatch"),
        (("weather", '{"city": "Bern"'), "InvalidJson"),
        (("weather", ""), "InvalidJson"),
        (("weather", "\ud800"), "InvalidJson"),
        (("weather", "[" * 5000), "InvalidJson"),
        (("Weather", '{"city": "Bern"}'), "UnknownName"),
        (("", "{}"), "UnknownName"),
    ],
)
def test_each_bucket(call: tuple[str, str], verdict: str) -> None:
    judge = ToolJudge()
    assert judge.verdicts(evidence(SCHEMA, call)) == [verdict]
    assert judge.count_invalid(evidence(SCHEMA, call)) == (verdict != "Valid")


def test_bad_calls_are_counted_among_good_ones() -> None:
    calls = (("weather", '{"city": "Bern"}'), ("weather", "{"), ("nope", "{}"), ("weather", "{}"))
    assert ToolJudge().count_invalid(evidence(SCHEMA, *calls)) == 3


@pytest.mark.parametrize(
    "schema",
    [
        None,
        {"type": "nonsense"},
        ["object"],
        "object",
        {"$ref": "#/definitions/missing"},
        {"properties": {"city": {"pattern": "("}}},
        {"description": "x" * MAX_BYTES, "type": "string"},
        {"$ref": "#"},
    ],
)
def test_a_missing_or_unusable_schema_makes_every_call_valid(schema: object) -> None:
    assert ToolJudge().count_invalid(evidence(schema, ("weather", '{"any": 1}'))) == 0


@pytest.mark.parametrize("reference", ["http://127.0.0.1:9/schema.json", "file:///etc/hostname", "https://example.com/x"])
def test_a_reference_never_leaves_the_document(reference: str) -> None:
    schema = {"type": "object", "properties": {"city": {"$ref": reference}}}
    assert ToolJudge().count_invalid(evidence(schema, ("weather", "{}"))) == 0


def test_patterns_run_in_linear_time() -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string", "pattern": "^(a+)+$"}}}
    call = ("weather", '{"city": "' + "a" * 50_000 + '!"}')
    assert ToolJudge().verdicts(evidence(schema, call)) == ["SchemaMismatch"]


def test_each_call_is_judged_by_the_schema_of_its_request() -> None:
    judge = ToolJudge(capacity=2)
    for limit in (1, 2, 3, 1, 3):
        schema = {"type": "object", "maxProperties": limit}
        assert judge.verdicts(evidence(schema, ("weather", '{"a":1,"b":2}'))) == ["Valid" if limit > 1 else "SchemaMismatch"]


@given(st.binary(max_size=60) | st.sampled_from([b"[1]", b'[{"function":1}]', b"{}", b'[{"type":"custom"}]']), st.text(max_size=10))
def test_tools_that_cannot_be_read_offer_no_name(tools: bytes, name: str) -> None:
    assert ToolJudge().count_invalid(ToolEvidence(tools, ((name, "{}"),))) == 1
