"""The names of request parameters that endpoints may lack, in the words of the chat dialect (contract 5.13)."""

PARAMETERS = frozenset(
    (
        *("temperature", "top_p", "top_k", "min_p", "top_a", "frequency_penalty", "presence_penalty", "repetition_penalty", "seed", "stop"),
        *("max_tokens", "max_completion_tokens", "logit_bias", "logprobs", "top_logprobs", "prediction", "response_format"),
        *("structured_outputs", "tools", "tool_choice", "parallel_tool_calls", "include_reasoning", "reasoning", "reasoning_effort"),
        *("web_search_options", "verbosity"),
    )
)
"""The vocabulary of `supported_parameters` (contract 5.13)."""

ALIASES = {"max_completion_tokens": "max_tokens", "reasoning_effort": "reasoning"}
"""Parameters that ask for the same ability under another name."""
