import msgspec

from trunkline.dialects.hub.conversation import Conversation, Opaque, Reasoning, Text, Tool, ToolCall, ToolResult, Turn


def test_a_conversation_keeps_order_and_bytes() -> None:
    conversation = Conversation(
        turns=(
            Turn(role="system", blocks=(Text(text="Be brief", cache="1h"),)),
            Turn(
                role="assistant",
                blocks=(
                    Reasoning(text="hm", signature="c2ln", format="anthropic-claude-v1"),
                    ToolCall(id="c1", name="f", arguments='{"b":1.0,"a":2}'),
                    Opaque(dialect="messages", raw=msgspec.Raw(b'{"type":"x"}')),
                ),
            ),
            Turn(role="tool", blocks=(ToolResult(id="c1", blocks=(Text(text="ok"),)),)),
        ),
        tools=(Tool(name="f", parameters=msgspec.Raw(b'{"type":"object"}')),),
    )
    assert msgspec.json.encode(conversation).index(b'{\\"b\\":1.0') < msgspec.json.encode(conversation).index(b'"type":"x"')
    assert b'"parameters":{"type":"object"}' in msgspec.json.encode(conversation)
