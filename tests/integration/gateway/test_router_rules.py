"""What contract 3.7 and 9.1 say of each router, over the wire: patterns, bands of cost, limits, stickiness, and what is refused."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from clients import Answer, call
from gateway import API_KEY, Gateway
from town import alone, provider

from trunkline.mock.script import Fault, Match, Rule
from trunkline.mock.thread import MockServer

CHAT = "/api/v1/chat/completions"
AUTO, PARETO = "openrouter/auto", "openrouter/pareto-code"
NAMES = (
    "anthropic/claude-t1",
    "anthropic/opus-t1",
    "google/gemini-t1",
    "openai/gpt-5-t1",
    "openai/gpt-5.9-t1",
    "openai/gpt-4-t1",
    "zed/claude-t9",
)
SCORES = '\n[routers.coding_scores]\n"bet/weak-1" = 0.1\n"bet/good-1" = 0.7\n"bet/good-2" = 0.8\n"bet/good-3" = 0.75\n"bet/best-1" = 0.9\n'
SKINS = {
    CHAT: lambda body: body["error"],
    "/api/v1/responses": lambda body: body["error"],
    "/api/v1/messages": lambda body: body["error"],
}


def priced(millionths: int) -> str:
    return f'{{ prompt = "{millionths}e-6", completion = "{millionths}e-6" }}'


@pytest.fixture(scope="module")
def upstream() -> Iterator[MockServer]:
    with MockServer() as server:
        server.use(
            Rule(match=Match(model="refuses"), fault=Fault(kind="status", status=400, code="context_length_exceeded", message="too long")),
            Rule(match=Match(model="busy"), fault=Fault(kind="status", status=503)),
            Rule(),
        )
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: MockServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    tens = [alone(f"ten/m{number}", f"m{number}", pricing=priced(number)) for number in range(1, 11)]
    names = [alone(name, "named", pricing=priced(place)) for place, name in enumerate(NAMES, 1)]
    coders = [
        alone("bet/weak-1", "weak", pricing=priced(1)),
        alone("bet/good-1", "refuses", pricing=priced(2)),
        alone("bet/good-2", "good-2", pricing=priced(3)),
        alone("bet/good-3", "good-3", pricing=priced(4)),
        alone("bet/best-1", "best", pricing=priced(5)),
    ]
    efforts = 'reasoning = {{ mandatory = {mandatory}, supported_efforts = ["high", "medium", "low"] }}\ncontext_length'
    thinkers = [
        alone(f"think/{name}-1", name).replace("context_length", efforts.format(mandatory=mandatory), 1)
        for name, mandatory in (("always", "true"), ("perhaps", "false"))
    ]
    config = "\n".join([SCORES, provider("acme", upstream.url), *tens, *names, *coders, *thinkers])
    with Gateway(tmp_path_factory.mktemp("rules") / "data", config) as server:
        yield server


def ask(gateway: Gateway, model: str, path: str = CHAT, *, said: list[dict[str, Any]] | None = None, **fields: Any) -> Answer:
    messages = said or [{"role": "user", "content": "Hello"}]
    body: dict[str, Any] = {"model": model, **fields}
    body |= {"input": messages} if path.endswith("responses") else {"messages": messages, "max_tokens": 100}
    return call(gateway, "POST", path, json.dumps(body).encode())


def auto(gateway: Gateway, **options: Any) -> Answer:
    return ask(gateway, AUTO, plugins=[{"id": "auto-router", **options}])


def candidates(gateway: Gateway, **options: Any) -> set[str]:
    """The models that may answer: each one that does is left out of the next request."""
    found: set[str] = set()
    while (answer := auto(gateway, cost_tier="low", **options, excluded_models=sorted(found))).status == 200:
        found.add(answer.json["model"])
    assert answer.error["message"] == "No models match your request and model restrictions"
    return found


@pytest.mark.parametrize(
    ("pattern", "models"),
    [
        ("anthropic/*", {"anthropic/claude-t1", "anthropic/opus-t1"}),
        ("openai/gpt-5*", {"openai/gpt-5-t1", "openai/gpt-5.9-t1"}),
        ("google/*", {"google/gemini-t1"}),
        ("OpenAI/GPT-4-t1", {"openai/gpt-4-t1"}),
        ("*/claude-*", {"anthropic/claude-t1", "zed/claude-t9"}),
    ],
)
def test_the_pattern_table(gateway: Gateway, pattern: str, models: set[str]) -> None:
    assert candidates(gateway, allowed_models=[pattern]) == models


def test_what_is_excluded_stays_out_after_what_is_allowed(gateway: Gateway) -> None:
    answer = auto(gateway, allowed_models=["*/claude-*"], excluded_models=["anthropic/*"])
    assert answer.json["model"] == "zed/claude-t9"
    both = auto(gateway, allowed_models=["google/*"], excluded_models=["google/gemini-t1"])
    assert (both.status, both.error["message"]) == (404, "No models match your request and model restrictions")


@pytest.mark.parametrize(
    ("options", "model"),
    [
        ({}, "ten/m2"),
        ({"cost_tier": "low"}, "ten/m2"),
        ({"cost_tier": "medium"}, "ten/m4"),
        ({"cost_tier": "high"}, "ten/m6"),
        ({"cost_tier": "xhigh"}, "ten/m8"),
        ({"cost_tier": "max"}, "ten/m10"),
        ({"cost_quality_tradeoff": 10}, "ten/m2"),
        ({"cost_quality_tradeoff": 9}, "ten/m2"),
        ({"cost_quality_tradeoff": 5}, "ten/m6"),
        ({"cost_quality_tradeoff": 0}, "ten/m10"),
        ({"cost_quality_tradeoff": 0, "cost_tier": "medium"}, "ten/m4"),
        ({"enabled": False, "cost_tier": "max", "allowed_models": ["nobody/*"]}, None),
    ],
)
def test_a_tier_is_a_band_and_the_older_setting_a_ceiling(gateway: Gateway, options: dict[str, Any], model: str | None) -> None:
    answer = auto(gateway, **({"allowed_models": ["ten/*"]} | options))
    assert answer.status == 200, answer.body
    assert model is None or answer.json["model"] == model


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"allowed_models": ["ten/*"] * 1024}, 200),
        ({"allowed_models": ["ten/*"] * 1025}, 400),
        ({"allowed_models": ["ten/*", "x" * 1024]}, 200),
        ({"allowed_models": ["ten/*", "x" * 1025]}, 400),
        ({"excluded_models": ["x" * 1024] * 64}, 200),
        ({"excluded_models": ["x" * 1024] * 64 + ["y"]}, 400),
        ({"cost_quality_tradeoff": 11}, 400),
        ({"cost_tier": "huge"}, 400),
        ({"pin_model": "yes"}, 400),
    ],
)
def test_limits_of_options(gateway: Gateway, options: dict[str, Any], status: int) -> None:
    answer = auto(gateway, **options)
    assert answer.status == status, answer.body
    assert status == 200 or answer.error["message"].startswith("plugins[0]")


def test_each_router_reads_its_own_plugin(gateway: Gateway) -> None:
    plugins = [{"id": "auto-router", "allowed_models": ["ten/m3"]}, {"id": "auto-beta-router", "allowed_models": ["ten/m7"]}]
    assert ask(gateway, AUTO, plugins=plugins).json["model"] == "ten/m3"
    assert ask(gateway, "openrouter/auto-beta", plugins=plugins).json["model"] == "ten/m7"


def test_a_pinned_model_goes_on_while_it_is_allowed(gateway: Gateway) -> None:
    said = [
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi", "model": "ten/m9"},
        {"role": "user", "content": "More"},
    ]
    for options, model in (
        ({"pin_model": True}, "ten/m9"),
        ({"pin_model": False}, "ten/m2"),
        ({"pin_model": True, "excluded_models": ["ten/m9"]}, "ten/m2"),
    ):
        plugins = [{"id": "auto-router", "allowed_models": ["ten/*"], **options}]
        assert ask(gateway, AUTO, said=said, plugins=plugins, session_id=f"{options}").json["model"] == model


def test_a_conversation_goes_on_with_its_model_while_that_is_a_candidate(gateway: Gateway) -> None:
    names: tuple[dict[str, Any], ...] = ({"session_id": "sticky"}, {"prompt_cache_key": "sticky key"})
    for named in names:
        for options, model in (
            ({"allowed_models": ["ten/m3"]}, "ten/m3"),
            ({"allowed_models": ["ten/*"], "cost_quality_tradeoff": 0}, "ten/m3"),
            ({"allowed_models": ["ten/*"], "cost_tier": "max"}, "ten/m10"),
        ):
            assert ask(gateway, AUTO, plugins=[{"id": "auto-router", **options}], **named).json["model"] == model


def test_pareto_tiers_prices_and_stickiness(gateway: Gateway) -> None:
    def code(session: str, **options: Any) -> Any:
        plugins = [{"id": "pareto-router", **options}]
        return ask(gateway, PARETO, plugins=plugins, provider={"ignore": []}, session_id=session).json

    assert code("low", min_coding_score=0.2)["model"] == "bet/weak-1"
    assert code("best", max_price=100)["model"] == "bet/best-1"
    assert code("best", max_price=100, price_source="weighted_avg")["model"] == "bet/best-1"
    assert code("cheap", max_price=3.5)["model"] == "bet/good-2"
    assert code("cheap", max_price=100)["model"] == "bet/good-2"
    assert code("none", max_price=0.5)["error"]["code"] == 404
    assert "max_price" in code("bad", max_price=-1)["error"]["message"]


def test_a_fallback_of_pareto_is_for_failures_that_pass(gateway: Gateway, upstream: MockServer) -> None:
    before = len(upstream.seen())
    refused = ask(gateway, PARETO, said=[{"role": "user", "content": "Sort this"}])
    assert (refused.status, refused.error["metadata"]["error_type"]) == (400, "context_length_exceeded")
    assert [one.model for one in upstream.seen()[before:]] == ["refuses"]


@pytest.mark.parametrize("path", SKINS)
@pytest.mark.parametrize("slug", ["openrouter/fusion", "openrouter/fusion-flash"])
def test_fusion_is_not_here_and_says_why(gateway: Gateway, path: str, slug: str) -> None:
    answer = ask(gateway, slug, path)
    assert answer.status == 404
    error = SKINS[path](answer.json)
    assert error["message"] == f"No endpoints found for {slug}: it asks several models by server tools, which this server does not run"
    told = answer.json.get("availability") or error["availability"]
    assert told["code"] == "no_endpoints"
    assert (told["retryable"], told["requested_models"], told["docs_url"]) == (False, [slug], "/docs/errors#no_endpoints")
    assert call(gateway, "GET", "/docs/errors").status == 200
    assert slug not in {row["id"] for row in call(gateway, "GET", "/api/v1/models").json["data"]}
    assert ask(gateway, slug, path, models=["ten/m1"]).status == 200


@pytest.mark.parametrize("path", SKINS)
def test_auto_speaks_every_dialect(gateway: Gateway, path: str) -> None:
    answer = ask(gateway, AUTO, path, plugins=[{"id": "auto-router", "allowed_models": ["ten/m5"]}])
    assert (answer.status, answer.json["model"]) == (200, "ten/m5")
    gone = ask(gateway, AUTO, path, plugins=[{"id": "auto-router", "allowed_models": ["nobody/*"]}])
    assert gone.status == 404
    assert gone.json["error"]["message"] == "No models match your request and model restrictions"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/embeddings", {"input": "x"}),
        ("/api/v1/rerank", {"query": "x", "documents": ["y"]}),
        ("/api/v1/images", {"prompt": "x"}),
        ("/api/v1/audio/speech", {"input": "x", "voice": "alloy"}),
        ("/api/v1/completions", {"prompt": "x"}),
    ],
)
def test_a_router_needs_messages(gateway: Gateway, path: str, body: dict[str, Any]) -> None:
    answer = call(gateway, "POST", path, json.dumps({"model": AUTO, **body}).encode())
    assert (answer.status, answer.error["message"]) == (400, f"{AUTO} needs messages. Use POST {CHAT}")
    assert answer.error["availability"]["code"] == "wrong_endpoint"


@pytest.mark.parametrize(
    "slug", ["~ten/m-latest", "~think/always-latest:nitro", AUTO, "openrouter/pareto-code", "openrouter/bodybuilder", "ten/m1"]
)
def test_tokens_are_counted_for_every_slug(gateway: Gateway, slug: str) -> None:
    body = {"model": slug, "messages": [{"role": "user", "content": "Count these tokens"}]}
    answer = call(gateway, "POST", "/api/v1/messages/count_tokens", json.dumps(body).encode())
    assert answer.status == 200, answer.body
    assert answer.json["input_tokens"] > 0


@pytest.mark.parametrize(
    ("slug", "wish", "status", "effort"),
    [
        ("think/perhaps-1", {"effort": "xhigh"}, 200, "high"),
        ("think/perhaps-1", {"effort": "minimal"}, 200, "low"),
        ("think/perhaps-1", {"effort": "none"}, 200, "none"),
        ("think/always-1", {"effort": "max"}, 200, "high"),
        ("think/always-1", {"effort": "none"}, 400, None),
        ("think/always-1", {"enabled": False}, 400, None),
        ("~think/always-latest", {"effort": "none"}, 200, "low"),
        ("~think/always-latest", {"enabled": False}, 200, "low"),
        ("~think/always-latest", {"max_tokens": 0}, 200, "low"),
        ("~think/always-latest", {"effort": "xhigh"}, 200, "high"),
    ],
)
@pytest.mark.parametrize("path", [CHAT, "/api/v1/responses"])
def test_an_effort_that_the_model_has(
    gateway: Gateway, upstream: MockServer, path: str, slug: str, wish: dict[str, Any], status: int, effort: str | None
) -> None:
    """Contract 2.7 and 9.1, [Latest]."""
    answer = ask(gateway, slug, path, reasoning=wish)
    assert answer.status == status, answer.body
    if effort is None:
        assert "Reasoning is mandatory" in answer.json["error"]["message"]
        return
    assert json.loads(bytes(upstream.seen()[-1].body))["reasoning_effort"] == effort  # type: ignore[arg-type]


def test_a_prompt_is_never_sent_to_a_model_that_must_reason_by_a_router(gateway: Gateway) -> None:
    plugins = [{"id": "auto-router", "allowed_models": ["think/*"]}]
    assert ask(gateway, AUTO, plugins=plugins, reasoning={"enabled": False}).json["model"] == "think/perhaps-1"
    assert API_KEY not in "".join(gateway.log)
