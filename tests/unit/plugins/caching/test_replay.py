"""A kept answer as another one: what changes, and that nothing else does."""

import msgspec

from trunkline.plugins.caching import replay

NEW = {"source": "gen-old", "id": "gen-new", "created": 99}


def test_a_whole_answer_keeps_its_words_byte_for_byte() -> None:
    body = (
        b'{"id":"gen-old","object":"chat.completion","created":5,"model":"a/m","choices":[ {"x": 1.50, "created": 7, "y": "\\u00e4"} ],'
        b'"usage":{"prompt_tokens":7,"cost":1e-05,"is_byok":false,"cost_details":{"upstream_inference_cost":null},"tiers":[1]},'
        b'"openrouter_metadata":{"attempt":1},"service_tier":null}'
    )
    assert replay.whole(body, **NEW) == (  # type: ignore[arg-type]
        b'{"id":"gen-new","object":"chat.completion","created":99,"model":"a/m","choices":[ {"x": 1.50, "created": 7, "y": "\\u00e4"} ],'
        b'"usage":{"prompt_tokens":0,"cost":0,"is_byok":false,"cost_details":{"upstream_inference_cost":null},"tiers":[0]},'
        b'"service_tier":null}'
    )


def test_the_events_of_chat() -> None:
    first = b'data: {"id":"gen-old","created":5,"choices":[{"delta":{"content":"a\\n\\nb: usage"}}]}'
    last = b'data: {"id":"gen-old","created":5,"choices":[],"usage":{"total_tokens":9}}'
    made = replay.streamed(b"\n\n".join((first, last, b"data: [DONE]", b"")), **NEW)  # type: ignore[arg-type]
    assert made == b"\n\n".join(
        (
            b'data: {"id":"gen-new","created":99,"choices":[{"delta":{"content":"a\\n\\nb: usage"}}]}',
            b'data: {"id":"gen-new","created":99,"choices":[],"usage":{"total_tokens":0}}',
            b"data: [DONE]",
            b"",
        )
    )


def test_the_events_of_messages_and_responses_hold_the_whole_inside() -> None:
    start = b'event: message_start\ndata: {"type":"message_start","message":{"id":"gen-old","usage":{"input_tokens":3},"content":[]}}'
    done = (
        b"event: response.completed\n"
        b'data: {"type":"response.completed","response":{"id":"gen-old","created_at":5,"completed_at":null,"usage":{"total_tokens":3}}}'
    )
    stop = b'event: message_stop\ndata: {"type":"message_stop","openrouter_metadata":{"attempt":1}}'
    made = replay.streamed(b"\n\n".join((start, done, stop)), **NEW)  # type: ignore[arg-type]
    payloads = [msgspec.json.decode(event.partition(b"data: ")[2]) for event in made.split(b"\n\n")]
    assert payloads == [
        {"type": "message_start", "message": {"id": "gen-new", "usage": {"input_tokens": 0}, "content": []}},
        {
            "type": "response.completed",
            "response": {"id": "gen-new", "created_at": 99, "completed_at": None, "usage": {"total_tokens": 0}},
        },
        {"type": "message_stop"},
    ]
    assert made.count(b"event: ") == 3


def test_an_event_with_nothing_to_change_is_not_touched() -> None:
    event = b'event: content_block_delta\ndata: {"delta" : { "text":"x" } , "n":1.0}\n\n'
    assert replay.streamed(event, **NEW) == event  # type: ignore[arg-type]


def test_a_message_that_is_only_text_is_no_whole() -> None:
    body = b'{"created":1,"message":"hello"}'
    assert replay.whole(body, **NEW) == b'{"created":99,"message":"hello"}'  # type: ignore[arg-type]


def test_comments_are_left_out() -> None:
    assert replay.without_comments(b": OPENROUTER PROCESSING\n\ndata: 1\n\n: x\n\ndata: 2\n\n") == b"data: 1\n\ndata: 2\n\n"
