"""The parameters of a chat request, in our own words, and which of them a model's endpoints take (contract 2.1)."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from trunkline.catalogue.catalogue import Catalogue
from trunkline.catalogue.views import parameters_of
from trunkline.pages.formats import NOTHING


class Parameter(Struct, frozen=True):
    """What a parameter is. `default` is what holds when it is absent: this server never adds a value of its own."""

    type: str
    default: str
    description: str


class ParameterRow(Struct, frozen=True):
    """A row of the table. `only` names the endpoints that take it, when others do not."""

    name: str
    type: str
    default: str
    description: str
    required: bool
    only: tuple[str, ...]


_UPSTREAM = "the provider's"

_ALWAYS: tuple[tuple[str, Parameter, bool], ...] = (
    ("model", Parameter("string", NOTHING, "The model's id, with a variant after a colon where you want one."), True),
    ("messages", Parameter("array", NOTHING, "The conversation so far, oldest first; each message has a role and content."), True),
    ("stream", Parameter("boolean", "false", "Send the answer piece by piece, as server-sent events that end with `[DONE]`."), False),
    ("models", Parameter("array of strings", "none", "Further models, tried in this order when the first cannot answer."), False),
    (
        "provider",
        Parameter("object", "low prices first", "Which endpoints may serve the request, and in which order they are tried."),
        False,
    ),
)

TABLE: Mapping[str, Parameter] = {
    "temperature": Parameter("number, 0 to 2", _UPSTREAM, "How freely tokens are drawn: 0 takes the likeliest, higher values vary more."),
    "top_p": Parameter("number, above 0 to 1", _UPSTREAM, "Draw only from the likeliest tokens whose probabilities add up to this."),
    "top_k": Parameter("integer, 0 or more", _UPSTREAM, "Draw only from this many of the likeliest tokens; 0 sets no bound."),
    "min_p": Parameter("number, 0 to 1", _UPSTREAM, "Leave out tokens less likely than this share of the likeliest one."),
    "top_a": Parameter("number, 0 to 1", _UPSTREAM, "As `min_p`, but with a bound that falls with the square of the best probability."),
    "frequency_penalty": Parameter("number, -2 to 2", _UPSTREAM, "Make tokens less likely the more often the text has them already."),
    "presence_penalty": Parameter("number, -2 to 2", _UPSTREAM, "Make tokens less likely once the text has them at all."),
    "repetition_penalty": Parameter(
        "number, above 0 to 2", _UPSTREAM, "Scale down tokens that prompt or answer already have; 1 does nothing."
    ),
    "max_tokens": Parameter(
        "integer, 1 or more", "the endpoint's limit", "The longest answer, in tokens. The older name of `max_completion_tokens`."
    ),
    "max_completion_tokens": Parameter("integer, 1 or more", "the endpoint's limit", "The longest answer in tokens, thinking included."),
    "logit_bias": Parameter("object", "none", "A number from -100 to 100 by token id, added to the token's score before drawing."),
    "logprobs": Parameter("boolean", "false", "Report the log probability of each token of the answer."),
    "top_logprobs": Parameter("integer, 0 to 20", "none", "Report this many alternatives for each token; needs `logprobs`."),
    "prediction": Parameter("object", "none", "Text that the answer will probably repeat, so that it comes sooner."),
    "seed": Parameter("integer", "none", "Equal seeds and requests should give equal answers, as far as the provider can."),
    "response_format": Parameter("object", "text", "The form of the answer: text, any JSON object, or JSON that fits a schema."),
    "structured_outputs": Parameter("boolean", "false", "Marks that the answer must fit the schema given in `response_format`."),
    "stop": Parameter("string or array, up to 4", "none", "End the answer before any of these texts."),
    "tools": Parameter("array", "none", "Functions that the model may ask you to call, each with a JSON schema of its arguments."),
    "tool_choice": Parameter("string or object", "auto", "`none`, `auto`, `required`, or the one function that must be called."),
    "parallel_tool_calls": Parameter("boolean", "true", "Whether the model may ask for several calls at once."),
    "include_reasoning": Parameter(
        "boolean", _UPSTREAM, "Whether the answer carries the model's thinking. The older switch of `reasoning`."
    ),
    "reasoning": Parameter(
        "object", _UPSTREAM, "How much the model thinks: an effort or a bound in tokens; `exclude` keeps it out of the answer."
    ),
    "reasoning_effort": Parameter(
        "string", _UPSTREAM, "A short form of `reasoning.effort`: none, minimal, low, medium, high, xhigh or max."
    ),
    "web_search_options": Parameter("object", "none", "How much context the provider's own web search brings in."),
    "verbosity": Parameter("string", "medium", "How long the answer should be: low, medium, high, xhigh or max."),
}


def rows_of(catalogue: Catalogue, model_id: str) -> tuple[ParameterRow, ...]:
    """The parameters that at least one endpoint of the model takes, after those that every request may have.

    A default that the model's own record names goes before the general one.
    """
    endpoints = catalogue.endpoints_of(model_id)
    defaults = catalogue.models[model_id].default_parameters or {}
    taken = [(endpoint.tag, frozenset(parameters_of((endpoint,)))) for endpoint in endpoints]
    rows = [_row(name, parameter, required=required) for name, parameter, required in _ALWAYS]
    for name in parameters_of(endpoints):
        own = defaults.get(name)
        rows.append(_row(name, TABLE[name], default=None if own is None else f"{own:g}", only=_only(name, taken)))
    return tuple(rows)


def _only(name: str, taken: Sequence[tuple[str, frozenset[str]]]) -> tuple[str, ...]:
    """The tags of the endpoints that take a parameter; empty when all do."""
    tags = tuple(tag for tag, names in taken if name in names)
    return tags if len(tags) < len(taken) else ()


def _row(
    name: str, parameter: Parameter, *, default: str | None = None, required: bool = False, only: tuple[str, ...] = ()
) -> ParameterRow:
    return ParameterRow(name, parameter.type, default or parameter.default, parameter.description, required, only)
