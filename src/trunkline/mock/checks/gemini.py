"""What generateContent refuses: turns without parts, results that do not fit the calls before them, lost thought signatures."""

import base64
from collections.abc import Callable, Iterator

from trunkline.mock.call import Asked
from trunkline.mock.checks.signatures import is_signed
from trunkline.mock.fields import mapping, mappings, sequence, string, walk
from trunkline.mock.reading.gemini import Turn, either, found
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene

_WORDS = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")
_STAND_INS = (*_WORDS, *(base64.b64encode(word.encode()).decode() for word in _WORDS))
_UNSIGNED = (
    "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing "
    "thought_signature may lead to degraded model performance."
)
_NOT_IN_SUBSET = ("$schema", "$ref", "$defs", "oneOf", "allOf", "const", "exclusiveMinimum", "exclusiveMaximum", "patternProperties")


def _turns(turns: list[Turn]) -> Iterator[str]:
    if not turns:
        yield "* GenerateContentRequest.contents: contents is not specified"
    for index, turn in enumerate(turns):
        if turn.get("role", "user") not in ("user", "model", "function"):
            yield "Please use a valid role: user, model."
        if not sequence(turn.get("parts")):
            yield f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty."
        for part in mappings(turn.get("parts")):
            if not any(name not in ("thought", "thoughtSignature", "thought_signature") for name in part):
                where = f"contents[{index}].parts[0].data"
                yield f"* GenerateContentRequest.{where}: required oneof field 'data' must have one initialized field"


def _results(turns: list[Turn]) -> Iterator[str]:
    """As many results as calls, in the turn right behind them, by the same names."""
    for index, turn in enumerate(turns):
        results = [response.get("name") for response in found(turn, "functionResponse")]
        if not results:
            continue
        calls = [call.get("name") for call in found(turns[index - 1], "functionCall")] if index else []
        if not calls:
            yield "Please ensure that function response turn comes immediately after a function call turn."
        elif len(calls) != len(results):
            yield (
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function "
                "call turn."
            )
        elif sorted(map(str, calls)) != sorted(map(str, results)):
            yield "Please ensure that the function response names match those of the function call turn."
        for response in found(turn, "functionResponse"):
            if not isinstance(response.get("response"), dict):
                where = f"contents[{index}].parts[0].function_response.response"
                yield f"Invalid value at '{where}' (type.googleapis.com/google.protobuf.Struct)"


def _signatures(turns: list[Turn], asked: Asked, scene: Scene) -> Iterator[str]:
    """A signature must be one that was given out; Gemini 3 also wants it at the first call of each turn."""
    for index, turn in enumerate(turns):
        calls = [part for part in mappings(turn.get("parts")) if either(part, "functionCall") is not None]
        for at, part in enumerate(calls):
            call = mapping(either(part, "functionCall"))
            signature = either(part, "thoughtSignature")
            if signature is None:
                if at == 0 and "gemini-3" in asked.model:
                    yield f"{_UNSIGNED} Additional data, function call `default_api:{call.get('name')}` , position {index + 1}."
            elif signature not in _STAND_INS and not is_signed(scene, _plain(signature), string(call.get("name")), kind="thought"):
                yield "Thought signature is not valid."


def _plain(signature: object) -> str:
    """Base64 of either alphabet: protobuf's JSON takes both."""
    return string(signature).replace("-", "+").replace("_", "/")


def _schemas(asked: Asked) -> Iterator[str]:
    """`parameters` take a subset of JSON schema only."""
    for index, tool in enumerate(mappings(asked.body.get("tools"))):
        for at, function in enumerate(mappings(either(tool, "functionDeclarations"))):
            where = f"tools[{index}].function_declarations[{at}].parameters"
            for key in (key for schema in walk(function.get("parameters")) for key in _NOT_IN_SUBSET if key in schema):
                yield f"Invalid JSON payload received. Unknown name \"{key}\" at '{where}': Cannot find field."


def check(asked: Asked, scene: Scene) -> Refusal | None:
    """What is wrong with a request of generateContent."""
    turns = list(mappings(asked.body.get("contents")))
    looks: tuple[Callable[[], Iterator[str]], ...] = (
        lambda: _turns(turns),
        lambda: _results(turns),
        lambda: _signatures(turns, asked, scene),
        lambda: _schemas(asked) if scene.strict else iter(()),
    )
    message = next((told for look in looks for told in look()), None)
    return None if message is None else Refusal(status=400, message=message)
