"""Top-level keys that a vendor does not know, as its API reference lists those that it does. Only looked at with `strict`."""

from collections.abc import Mapping

from trunkline.mock.call import Asked
from trunkline.mock.reply import Refusal
from trunkline.mock.script import Scene

_OPENAI = "metadata model service_tier store stream temperature tool_choice tools top_p user safety_identifier parallel_tool_calls "
_OPENAI += "prompt_cache_key prompt_cache_retention prompt_cache_options top_logprobs stream_options"

KNOWN: Mapping[str, frozenset[str]] = {
    dialect: frozenset(names.split())
    for dialect, names in {
        "chat": f"{_OPENAI} audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages "
        "modalities moderation n prediction presence_penalty reasoning_effort response_format seed stop verbosity web_search_options",
        "responses": f"{_OPENAI} background context_management conversation include input instructions max_output_tokens max_tool_calls "
        "moderation previous_response_id prompt reasoning text truncation",
        "messages": "model messages max_tokens system tools tool_choice stream temperature top_p top_k stop_sequences thinking metadata "
        "service_tier output_config output_format context_management container mcp_servers speed inference_geo cache_control "
        "anthropic_version anthropic_beta",
        "gemini": "contents systemInstruction system_instruction generationConfig generation_config tools toolConfig tool_config "
        "safetySettings safety_settings cachedContent cached_content labels model generateContentRequest store serviceTier service_tier",
        "converse": "messages system inferenceConfig toolConfig guardrailConfig additionalModelRequestFields promptVariables "
        "additionalModelResponseFieldPaths requestMetadata performanceConfig serviceTier outputConfig modelId",
        "cohere": "model messages stream tools documents citation_options response_format safety_mode max_tokens stop_sequences "
        "temperature seed frequency_penalty presence_penalty k p logprobs tool_choice strict_tools thinking priority",
        "embeddings": "model input encoding_format dimensions user",
    }.items()
}
"""The keys of each dialect's requests."""


def _openai(key: str) -> Refusal:
    return Refusal(status=400, code="unknown_parameter", message=f"Unknown parameter: '{key}'.", param=key)


def _extra_input(key: str) -> Refusal:
    return Refusal(status=400, message=f"{key}: Extra inputs are not permitted")


def _google(key: str) -> Refusal:
    return Refusal(status=400, message=f'Invalid JSON payload received. Unknown name "{key}": Cannot find field.')


def _amazon(key: str) -> Refusal:
    message = f"Malformed input request: #: extraneous key [{key}] is not permitted, please reformat your input and try again."
    return Refusal(status=400, message=message)


def _cohere(key: str) -> Refusal:
    return Refusal(status=422, message=f"unknown field: parameter '{key}' is not a valid field")


_WORDS = {"messages": _extra_input, "gemini": _google, "converse": _amazon, "cohere": _cohere}


def unknown(asked: Asked, scene: Scene, dialect: str) -> Refusal | None:
    """The refusal of the first key that is neither the vendor's nor allowed by the script."""
    if not scene.strict or dialect not in KNOWN:
        return None
    key = next((key for key in asked.body if key not in KNOWN[dialect] and key not in scene.allow), None)
    if key is None:
        return None
    if dialect == "chat" and scene.shape == "mistral":
        return Refusal(status=422, code="extra_forbidden", message="Extra inputs are not permitted", param=key)
    return _WORDS.get(dialect, _openai)(key)
