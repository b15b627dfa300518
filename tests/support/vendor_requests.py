"""Requests in the six dialects, as a client of each vendor writes them: path and body for the same small conversation."""

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
VERSION = {"anthropic-version": "2023-06-01"}


@dataclass(frozen=True)
class Wish:
    """A conversation: a system text, the user's words, offered tools by name, and a call with its result that came before."""

    text: str = "one two three"
    system: str = ""
    model: str = "m"
    stream: bool = False
    tools: dict[str, Json] = field(default_factory=dict)
    forced: bool = False
    schema: Json | None = None
    max_tokens: int = 100
    called: tuple[str, str, Json, str] | None = None
    """Id, name and arguments of a call, and the text of its result."""


def chat(wish: Wish) -> tuple[str, Json]:
    messages: list[Json] = [{"role": "system", "content": wish.system}] if wish.system else []
    messages.append({"role": "user", "content": wish.text})
    if wish.called:
        name, tool, given, result = wish.called
        call = {"id": name, "type": "function", "function": {"name": tool, "arguments": str(given)}}
        messages += [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": name, "content": result},
        ]
    body: Json = {"model": wish.model, "messages": messages, "max_tokens": wish.max_tokens}
    if wish.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    if wish.tools:
        body["tools"] = [{"type": "function", "function": {"name": name, "parameters": schema}} for name, schema in wish.tools.items()]
        body["tool_choice"] = "required" if wish.forced else "auto"
    if wish.schema is not None:
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "s", "schema": wish.schema}}
    return "/v1/chat/completions", body


def responses(wish: Wish) -> tuple[str, Json]:
    items: list[Json] = [{"role": "user", "content": [{"type": "input_text", "text": wish.text}]}]
    if wish.called:
        name, tool, given, result = wish.called
        items.append({"type": "function_call", "call_id": name, "name": tool, "arguments": str(given)})
        items.append({"type": "function_call_output", "call_id": name, "output": result})
    body: Json = {"model": wish.model, "input": items, "stream": wish.stream, "max_output_tokens": wish.max_tokens}
    body |= {"include": ["reasoning.encrypted_content"], "store": False}
    body |= {"instructions": wish.system} if wish.system else {}
    if wish.tools:
        body["tools"] = [{"type": "function", "name": name, "parameters": schema, "strict": False} for name, schema in wish.tools.items()]
        body["tool_choice"] = "required" if wish.forced else "auto"
    if wish.schema is not None:
        body["text"] = {"format": {"type": "json_schema", "name": "s", "schema": wish.schema}}
    return "/v1/responses", body


def messages(wish: Wish) -> tuple[str, Json]:
    turns: list[Json] = [{"role": "user", "content": wish.text}]
    if wish.called:
        name, tool, given, result = wish.called
        turns.append({"role": "assistant", "content": [{"type": "tool_use", "id": name, "name": tool, "input": given}]})
        turns.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": name, "content": result}]})
    body: Json = {"model": wish.model, "messages": turns, "max_tokens": wish.max_tokens, "stream": wish.stream}
    body |= {"system": wish.system} if wish.system else {}
    if wish.tools:
        body["tools"] = [{"name": name, "input_schema": schema} for name, schema in wish.tools.items()]
        body["tool_choice"] = {"type": "any" if wish.forced else "auto"}
    if wish.schema is not None:
        body["output_config"] = {"format": {"type": "json_schema", "schema": wish.schema}}
    return "/v1/messages", body


def gemini(wish: Wish) -> tuple[str, Json]:
    contents: list[Json] = [{"role": "user", "parts": [{"text": wish.text}]}]
    if wish.called:
        _, tool, given, result = wish.called
        contents.append({"role": "model", "parts": [{"functionCall": {"name": tool, "args": given}}]})
        contents.append({"role": "user", "parts": [{"functionResponse": {"name": tool, "response": {"output": result}}}]})
    config: Json = {"maxOutputTokens": wish.max_tokens}
    if wish.schema is not None:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": wish.schema}
    body: Json = {"contents": contents, "generationConfig": config}
    body |= {"systemInstruction": {"parts": [{"text": wish.system}]}} if wish.system else {}
    if wish.tools:
        declared = [{"name": name, "parametersJsonSchema": schema} for name, schema in wish.tools.items()]
        body["tools"] = [{"functionDeclarations": declared}]
        body["toolConfig"] = {"functionCallingConfig": {"mode": "ANY" if wish.forced else "AUTO"}}
    verb = "streamGenerateContent?alt=sse" if wish.stream else "generateContent"
    return f"/v1beta/models/{wish.model}:{verb}", body


def converse(wish: Wish) -> tuple[str, Json]:
    turns: list[Json] = [{"role": "user", "content": [{"text": wish.text}]}]
    if wish.called:
        name, tool, given, result = wish.called
        turns.append({"role": "assistant", "content": [{"toolUse": {"toolUseId": name, "name": tool, "input": given}}]})
        turns.append({"role": "user", "content": [{"toolResult": {"toolUseId": name, "content": [{"text": result}]}}]})
    body: Json = {"messages": turns, "inferenceConfig": {"maxTokens": wish.max_tokens}}
    body |= {"system": [{"text": wish.system}]} if wish.system else {}
    if wish.tools:
        specs = [{"toolSpec": {"name": name, "inputSchema": {"json": schema}}} for name, schema in wish.tools.items()]
        body["toolConfig"] = {"tools": specs, "toolChoice": {"any" if wish.forced else "auto": {}}}
    return f"/model/{wish.model}/converse{'-stream' if wish.stream else ''}", body


def cohere(wish: Wish) -> tuple[str, Json]:
    _, body = chat(wish)
    body.pop("stream_options", None)
    body.pop("tool_choice", None)
    body |= {"tool_choice": "REQUIRED"} if wish.forced else {}
    if wish.schema is not None:
        body["response_format"] = {"type": "json_object", "json_schema": wish.schema}
    return "/v2/chat", body


WRITERS = {"chat": chat, "responses": responses, "messages": messages, "gemini": gemini, "converse": converse, "cohere": cohere}
"""For each dialect what makes path and body of a wish."""
