from bench import translations, workload


def test_the_stream_says_the_text_and_ends() -> None:
    stream = translations.messages_stream(workload.pieces())
    assert translations.messages_text(stream) == workload.STREAM_TEXT
    assert stream.count(b"event: content_block_delta") == workload.CONTENT_EVENTS


def test_a_stream_without_its_end_says_nothing() -> None:
    whole = translations.messages_stream(workload.pieces())
    assert translations.messages_text(whole[: whole.rindex(b"event: message_stop")]) == ""
    assert translations.messages_text(b"") == ""
