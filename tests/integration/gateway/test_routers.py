"""The routers over the wire: what each of them chooses, what answers, and what is recorded (contract 3.7)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clients import Answer, call, until
from gateway import Gateway
from town import FREE, alone, provider

from trunkline.mock.thread import MockServer

CHAT = "/api/v1/chat/completions"
ROUTERS = """
[routers.auto]
"general:math" = ["beta/*", "acme/small-1"]
"*" = ["acme/*"]

[routers.coding_scores]
"acme/small-1" = 0.2
"acme/big-2" = 0.7
"beta/mid-1" = 0.9
"""


def priced(prompt: str) -> str:
    return f'{{ prompt = "{prompt}", completion = "{prompt}" }}'


def effort_model(slug: str) -> str:
    """A model that cannot stop reasoning, and has no more than three efforts."""
    table = alone(slug, slug.partition("/")[2], pricing=priced("0.000009"))
    return table.replace(
        "context_length", 'reasoning = { mandatory = true, supported_efforts = ["high", "medium", "low"] }\ncontext_length', 1
    )


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer() as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    config = "\n".join(
        [
            ROUTERS,
            provider("acme", upstream.url),
            alone("acme/small-1", "small-1", pricing=priced("0.000001")),
            alone("acme/big-1", "big-1", pricing=priced("0.000003")),
            alone("acme/big-2", "big-2", pricing=priced("0.000005")),
            alone("beta/mid-1", "mid-1", pricing=priced("0.000002")),
            alone("acme/gratis:free", "gratis", pricing=FREE, extra='supported_parameters = ["tools"]'),
            alone("beta/present:free", "present", pricing=FREE, extra='supported_parameters = ["temperature"]'),
            effort_model("acme/thinker-1"),
        ]
    )
    folder: Path = tmp_path_factory.mktemp("routers")
    with Gateway(folder / "data", config) as server:
        yield server


def ask(gateway: Gateway, model: str, text: str = "Hello", path: str = CHAT, **fields: Any) -> Answer:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **fields}
    return call(gateway, "POST", path, json.dumps(body).encode())


def plugin(id: str, **options: Any) -> dict[str, Any]:
    return {"plugins": [{"id": id, **options}]}


def generation(gateway: Gateway, answer: Answer) -> Any:
    """The record of an answer."""
    return recorded(gateway, answer.json["id"])


def recorded(gateway: Gateway, id: str) -> Any:
    """The record of a generation, once it is written."""
    path = f"/api/v1/generation?id={id}"
    until(lambda: call(gateway, "GET", path).status == 200)
    return call(gateway, "GET", path).json["data"]


@pytest.mark.parametrize("slug", ["openrouter/auto", "OpenRouter/Auto-Beta"])
def test_auto_chooses_by_task_and_cost(gateway: Gateway, slug: str) -> None:
    for text, tier, model in (
        ("Solve the equation 3x + 7 = 22.", "low", "acme/small-1"),
        ("Solve the equation 3x + 8 = 22.", "max", "beta/mid-1"),
        ("Write a polite email to a client.", "max", "acme/thinker-1"),
    ):
        plugin_id = "auto-router" if slug.endswith("auto") else "auto-beta-router"
        options = plugin(plugin_id, cost_tier=tier, excluded_models=["*:free"])
        answer = ask(gateway, slug, text, **options)
        assert answer.json["model"] == model, (text, answer.json)
        assert generation(gateway, answer)["router"] == slug.lower()


def test_a_conversation_goes_on_with_its_model(gateway: Gateway) -> None:
    first = ask(gateway, "openrouter/auto", session_id="talk", **plugin("auto-router", allowed_models=["acme/big-*"], cost_tier="max"))
    assert first.json["model"] == "acme/big-2"
    wide = plugin("auto-router", allowed_models=["acme/big-*", "acme/thinker-1"], cost_quality_tradeoff=0)
    assert ask(gateway, "openrouter/auto", "More", session_id="talk", **wide).json["model"] == "acme/big-2"
    assert ask(gateway, "openrouter/auto", "More", session_id="other", **wide).json["model"] == "acme/thinker-1"


def test_a_pinned_model_answers_again(gateway: Gateway) -> None:
    said = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi", "model": "acme/big-1"},
        {"role": "user", "content": "And now?"},
    ]
    pinned = ask(gateway, "openrouter/auto", messages=said, **plugin("auto-router", pin_model=True, cost_tier="max"))
    assert pinned.json["model"] == "acme/big-1"


def test_the_metadata_say_which_task_it_was(gateway: Gateway) -> None:
    body = {"model": "openrouter/auto", "messages": [{"role": "user", "content": "Translate this letter into French."}]}
    answer = call(gateway, "POST", CHAT, json.dumps(body).encode(), headers={"x-openrouter-metadata": "enabled"})
    told = answer.json["openrouter_metadata"]
    assert (told["requested"], told["strategy"]) == ("openrouter/auto", "auto")
    assert told["pipeline"] == [{"type": "plugin", "name": "auto-router", "data": {"task_type": "general:translation"}}]


@pytest.mark.parametrize(
    ("slug", "options", "problem"),
    [
        ("openrouter/auto", plugin("auto-router", colour="red"), "plugins[0]: Object contains unknown field `colour`"),
        ("openrouter/auto", plugin("auto-router", cost_tier="cheap"), "plugins[0]: Invalid enum value 'cheap' - at `$.cost_tier`"),
        ("openrouter/auto", plugin("auto-router", allowed_models=["x"] * 1025), "plugins[0]: Expected `array` of length <= 1024"),
        ("openrouter/auto", plugin("auto-router", excluded_models=["x" * 1000] * 66), "plugins[0].excluded_models: More than 65536 "),
        ("openrouter/auto-beta", plugin("auto-beta-router", pin_model=True), "plugins[0]: Object contains unknown field `pin_model`"),
        ("openrouter/pareto-code", plugin("pareto-router", min_coding_score=2), "plugins[0]: Expected `float` <= 1.0"),
        ("openrouter/auto:online", {}, "openrouter/auto:online: The variant :online needs the plugin web"),
        ("acme/big-1:online", {}, "acme/big-1:online: The variant :online needs the plugin web"),
        ("openrouter/auto:free", {}, "openrouter/auto:free is not a valid model ID"),
        ("openrouter/fusion-reactor", {}, "openrouter/fusion-reactor is not a valid model ID"),
        ("~acme/nothing-latest", {}, "~acme/nothing-latest is not a valid model ID"),
    ],
)
def test_what_is_wrong_is_named(gateway: Gateway, slug: str, options: dict[str, Any], problem: str) -> None:
    answer = ask(gateway, slug, **options)
    assert answer.status == 400
    assert answer.error["message"].startswith(problem), answer.json


def test_a_router_needs_messages(gateway: Gateway) -> None:
    body = json.dumps({"model": "openrouter/auto", "prompt": "Once"}).encode()
    answer = call(gateway, "POST", "/api/v1/completions", body)
    assert (answer.status, answer.error["message"]) == (400, f"openrouter/auto needs messages. Use POST {CHAT}")
    told = answer.error["availability"]
    assert (told["code"], told["constraint"]["detail"]) == ("wrong_endpoint", CHAT)


@pytest.mark.parametrize(
    ("slug", "fields"),
    [
        ("openrouter/auto", plugin("auto-router", allowed_models=["nobody/*"])),
        ("openrouter/free", {"provider": {"only": ["nobody"]}}),
        ("openrouter/pareto-code", plugin("pareto-router", max_price=0.0001)),
    ],
)
def test_no_model_is_left(gateway: Gateway, slug: str, fields: dict[str, Any]) -> None:
    answer = ask(gateway, slug, **fields)
    assert (answer.status, answer.error["message"]) == (404, "No models match your request and model restrictions")
    assert answer.error["availability"]["code"] == "constraint_filtered"


def test_a_router_without_models_is_passed_over(gateway: Gateway) -> None:
    options = plugin("auto-router", allowed_models=["nobody/*"])
    assert ask(gateway, "openrouter/auto", models=["acme/big-1"], **options).json["model"] == "acme/big-1"


def test_free_models_serve_in_turn(gateway: Gateway) -> None:
    met: set[str] = set()

    def both() -> bool:
        met.add(ask(gateway, "openrouter/free").json["model"])
        return len(met) == 2

    until(both)
    assert met == {"acme/gratis:free", "beta/present:free"}


def test_a_free_model_can_do_what_is_needed(gateway: Gateway) -> None:
    tools = [{"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}]
    assert {ask(gateway, "openrouter/free", tools=tools).json["model"] for _ in range(6)} == {"acme/gratis:free"}


def test_pareto_takes_the_cheapest_of_a_tier(gateway: Gateway) -> None:
    for options, model in (
        ({}, "beta/mid-1"),
        ({"min_coding_score": 0.66}, "beta/mid-1"),
        ({"min_coding_score": 0.5}, "beta/mid-1"),
        ({"min_coding_score": 0.1}, "acme/small-1"),
        ({"max_price": 1}, "acme/small-1"),
        ({"max_price": 2.5}, "beta/mid-1"),
    ):
        answer = ask(gateway, "openrouter/pareto-code", f"Sort {options}", **plugin("pareto-router", **options))
        assert answer.json["model"] == model, options
        assert generation(gateway, answer)["router"] == "openrouter/pareto-code"


def test_the_latest_of_a_family_answers(gateway: Gateway, upstream: MockServer) -> None:
    answer = ask(gateway, "~acme/thinker-latest", reasoning={"effort": "none"})
    assert answer.json["model"] == "acme/thinker-1"
    assert sent(upstream)["reasoning_effort"] == "low"
    ask(gateway, "~acme/thinker-latest:nitro", reasoning={"effort": "xhigh"})
    assert sent(upstream)["reasoning_effort"] == "high"
    assert generation(gateway, answer)["router"] is None


def sent(upstream: MockServer) -> Any:
    """The body that the upstream got last."""
    return json.loads(bytes(upstream.seen()[-1].body))  # type: ignore[arg-type]  # every request here is JSON


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, "/api/v1/messages", "/api/v1/responses"])
def test_bodybuilder_writes_requests(gateway: Gateway, upstream: MockServer, path: str, stream: bool) -> None:
    before = len(upstream.seen())
    text = "Count to ten using acme/big-2 and small-1."
    body: dict[str, Any] = {"model": "openrouter/bodybuilder", "stream": stream}
    body |= {"input": text} if path.endswith("responses") else {"messages": [{"role": "user", "content": text}], "max_tokens": 100}
    answer = call(gateway, "POST", path, json.dumps(body).encode())
    assert answer.status == 200
    wanted = {"model": "acme/big-2", "messages": [{"role": "user", "content": "Count to ten."}]}
    said = json.dumps({"requests": [wanted, {**wanted, "model": "acme/small-1"}]}, separators=(",", ":"))
    assert json.dumps(said)[1:-1] in answer.body.decode()
    assert len(upstream.seen()) == before
    record = recorded(gateway, answer.id)
    assert (record["model"], record["router"], record["usage"]) == ("openrouter/bodybuilder", "openrouter/bodybuilder", 0)


def test_lists_show_routers_and_latest(gateway: Gateway) -> None:
    rows = {row["id"]: row for row in call(gateway, "GET", "/api/v1/models").json["data"]}
    auto, latest = rows["openrouter/auto"], rows["~acme/big-latest"]
    assert (auto["architecture"]["tokenizer"], auto["pricing"]["prompt"], auto["available"]) == ("Router", "-1", True)
    assert rows["openrouter/free"]["pricing"]["prompt"] == "0"
    assert latest["alias_target"] == {"name": "acme/big-2", "slug": "acme/big-2"}
    assert latest["pricing"] == rows["acme/big-2"]["pricing"]
    assert call(gateway, "GET", "/api/v1/model/openrouter/free").json["data"]["id"] == "openrouter/free"
    assert call(gateway, "GET", "/api/v1/model/~acme/big-latest").json["data"] == latest
    assert "alias_target" not in rows["acme/big-2"]


def test_a_route_can_be_asked_for(gateway: Gateway) -> None:
    body = {"model": "openrouter/pareto-code", "messages": [{"role": "user", "content": "Sort"}]}
    report = call(gateway, "POST", "/api/v1/route", json.dumps(body).encode()).json["data"]
    assert (report["strategy"], report["endpoints"][0]["model"]) == ("pareto", "beta/mid-1")
    body = {"model": "openrouter/auto", "messages": [{"role": "user", "content": "Translate this letter into French."}]}
    report = call(gateway, "POST", "/api/v1/route", json.dumps(body).encode()).json["data"]
    assert report["pipeline"] == [{"type": "plugin", "name": "auto-router", "data": {"task_type": "general:translation"}}]
