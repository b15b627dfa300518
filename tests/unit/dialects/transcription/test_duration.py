"""How long a sound is."""

import io
import wave

from hypothesis import given
from hypothesis import strategies as st

from trunkline.dialects.transcription.duration import milliseconds


def tone(frames: int, *, rate: int = 16_000, channels: int = 1) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(channels)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(bytes(2 * channels * frames))
    return file.getvalue()


@given(st.integers(1, 50_000), st.sampled_from([8000, 16_000, 44_100]), st.sampled_from([1, 2]))
def test_wave_is_exact(frames: int, rate: int, channels: int) -> None:
    assert milliseconds(tone(frames, rate=rate, channels=channels)) == -(-frames * 1000 // rate)


def test_other_sound_is_guessed_from_its_size() -> None:
    assert milliseconds(b"ID3" + bytes(15_997)) == 1000
    assert milliseconds(b"x") == 1


@given(st.binary(max_size=100))
def test_a_broken_head_is_guessed(rest: bytes) -> None:
    assert milliseconds(b"RIFF\x00\x00\x00\x00WAVE" + rest) >= 0
