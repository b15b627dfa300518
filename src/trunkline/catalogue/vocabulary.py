"""The words that the contract fixes: parameters, modalities, quantizations, tokenizer families, variants (contract 3.6, 5.13 and 11)."""

from typing import Literal

PARAMETER_ORDER = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "top_a",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "max_tokens",
    "max_completion_tokens",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "prediction",
    "seed",
    "response_format",
    "structured_outputs",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "include_reasoning",
    "reasoning",
    "reasoning_effort",
    "web_search_options",
    "verbosity",
)
PARAMETERS = frozenset(PARAMETER_ORDER)

EFFORTS = frozenset(("max", "xhigh", "high", "medium", "low", "minimal", "none"))
DEFAULT_PARAMETERS = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "repetition_penalty")

MODALITY_ORDER = ("text", "image", "file", "audio", "video", "embeddings", "rerank", "decisions", "speech", "transcription")
INPUT_MODALITIES = frozenset(("text", "image", "file", "audio", "video"))
OUTPUT_MODALITIES = frozenset(MODALITY_ORDER) - {"file"}

QUANTIZATIONS = frozenset(("int4", "int8", "fp4", "mxfp4", "nvfp4", "fp6", "fp8", "mxfp8", "fp16", "bf16", "fp32", "unknown"))

TOKENIZERS = frozenset(
    (
        "Router",
        "Media",
        "Other",
        "GPT",
        "Claude",
        "Gemini",
        "Gemma",
        "Grok",
        "Cohere",
        "Nova",
        "Qwen",
        "Qwen3",
        "Yi",
        "DeepSeek",
        "Mistral",
        "Llama2",
        "Llama3",
        "Llama4",
        "PaLM",
        "RWKV",
    )
)

Task = Literal[
    "code:general_impl",
    "code:debugging",
    "data:sql",
    "data:extraction",
    "general:math",
    "general:translation",
    "general:summarization",
    "general:creative_writing",
    "general:roleplay",
    "general:business_writing",
    "general:legal",
    "general:health",
    "general:science",
    "general:knowledge",
]
"""The kinds of task that `openrouter/auto` tells apart."""

DYNAMIC_VARIANTS = frozenset(("nitro", "floor", "exacto", "online"))

# fmt: off
EU_COUNTRIES = frozenset((
    "AT", "BE", "BG", "HR", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HU", "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL",
    "PT", "RO", "SE", "SI", "SK",
))
# fmt: on
REGION_COUNTRIES = {"europe": EU_COUNTRIES, "us": frozenset(("US",))}
"""The countries of each region (`protocol.regions`)."""
