"""Speech and transcription as OpenAI's `/audio/speech` and `/audio/transcriptions` give them.

Speech is a tenth of a second of silence for each word, as WAV or as bare samples; other formats get the same bytes under their own name.
"""

import struct

from trunkline.mock.call import Asked, Call
from trunkline.mock.content import compose, encode
from trunkline.mock.fields import mapping, string
from trunkline.mock.operations.inputs import call_of
from trunkline.mock.operations.multipart import Field, fields_of
from trunkline.mock.reply import Part, Reply, json_reply
from trunkline.mock.script import Answer, Pace
from trunkline.mock.writing.stream import headers_of

RATE = 24_000
"""Samples a second, of 16 bits, one channel."""

_MEDIA = {"wav": "audio/wav", "pcm": "audio/pcm", "opus": "audio/ogg", "aac": "audio/aac", "flac": "audio/flac"}


def silence(words: int) -> bytes:
    """Samples of a tenth of a second for each word."""
    return bytes(words * RATE // 10 * 2)


def wav(samples: bytes) -> bytes:
    """The samples with the head of a WAV file."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, RATE, RATE * 2, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVEfmt " + form + b"data" + struct.pack("<I", len(samples)) + samples


def read_speech(asked: Asked) -> Call:
    """The call of a request to speak; its text is what to say."""
    return call_of(asked, (string(asked.body.get("input")),))


def speak(call: Call, answer: Answer, pace: Pace, *, serial: int) -> Reply:
    """The sound, streamed in pieces of one word each, with the waits of `pace`."""
    form = string(call.asked.body.get("response_format")) or "mp3"
    samples = silence(call.words)
    sound = samples if form == "pcm" else wav(samples)
    step = max(1, len(sound) // max(1, call.words))
    parts = tuple(
        Part("content", sound[at : at + step], (pace.event_ms if at else pace.first_ms or pace.event_ms) / 1000)
        for at in range(0, len(sound), step)
    )
    return Reply(parts=parts, headers=(("content-type", _MEDIA.get(form, "audio/mpeg")), *headers_of(answer, serial)), stream=True)


def _fields(asked: Asked) -> dict[str, Field]:
    return {field.name: field for field in fields_of(asked.headers.get("content-type", ""), asked.raw)}


def _wanted(asked: Asked, name: str) -> str:
    """A field of the form, or of the JSON body that some servers take instead."""
    field = _fields(asked).get(name)
    return string(asked.body.get(name)) if field is None else field.data.decode("utf-8", "replace")


def read_transcription(asked: Asked) -> Call:
    """The call of a request to transcribe; its text tells name and size of the file."""
    file = _fields(asked).get("file")
    given = mapping(asked.body.get("input_audio") or asked.body.get("file"))
    text = (
        f"{file.filename} of {len(file.data)} bytes"
        if file
        else f"{string(given.get('format'))} of {len(string(given.get('data')))} characters"
    )
    call = call_of(asked, (text,))
    return Call(model=_wanted(asked, "model"), text=call.text, words=call.words, asked=asked)


def transcribe(call: Call, answer: Answer, _pace: Pace, *, serial: int) -> Reply:
    """The transcript, as JSON, as JSON with times, or as bare text; usage in seconds, one for each word."""
    content = compose(call, answer)
    form = _wanted(call.asked, "response_format") or "json"
    seconds = len(content.text)
    headers = headers_of(answer, serial)
    if form in ("text", "srt", "vtt"):
        text = content.whole_text.encode()
        return Reply(parts=(Part("body", text + b"\n"),), headers=(("content-type", "text/plain; charset=utf-8"), *headers))
    usage = answer.usage or {"type": "duration", "seconds": seconds}
    body: dict[str, object] = {"text": content.whole_text} | ({} if answer.usage_place == "never" else {"usage": usage})
    if form == "verbose_json":
        segment = {"id": 0, "start": 0.0, "end": float(seconds), "text": content.whole_text}
        body |= {"task": "transcribe", "language": "english", "duration": float(seconds), "segments": [segment]}
    return json_reply(encode({**body, **answer.extra}), headers=headers)
