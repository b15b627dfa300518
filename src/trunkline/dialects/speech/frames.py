"""Whether the beginning of an MP3 can be heard: one whole frame of it (contract 4.4; ISO/IEC 11172-3 2.4.1, 13818-3; ID3v2.4 3.1)."""

from typing import Final

LONGEST_TAG: Final = 1024 * 1024
"""Bytes of an ID3 tag before the sound that are waited for at most."""
_TAG: Final = b"ID3"
_TAG_HEAD: Final = 10
_FOOTER: Final = 0x10
_HEAD: Final = 4
_KBITS: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_KBITS_LOW: Final = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_RATES: Final = (44_100, 48_000, 32_000)
_MPEG_1: Final = 3
_RATE_SHIFT: Final = {3: 0, 2: 1, 0: 2}
"""By version: how often the sample rate of MPEG 1 is halved. Version 1 is reserved."""
_LAYER_3: Final = 1


def is_whole(data: bytes) -> bool:
    """Whether one frame has arrived. What does not begin as an MP3 is left to its player: it counts as soon as there is any of it."""
    start = _end_of_tag(data)
    if start is None:
        return False
    if start > LONGEST_TAG:
        return True
    head = data[start : start + _HEAD]
    if len(head) < _HEAD:
        return bool(head) and head[0] != 0xFF
    size = frame_size(head)
    return size is None or len(data) >= start + size


def frame_size(head: bytes) -> int | None:
    """Bytes of the frame of layer III that these four begin, None where they begin none."""
    version, layer = head[1] >> 3 & 3, head[1] >> 1 & 3
    rate, bitrate = head[2] >> 2 & 3, head[2] >> 4
    if head[0] != 0xFF or head[1] < 0xE0 or layer != _LAYER_3 or version not in _RATE_SHIFT:
        return None
    if rate >= len(_RATES) or not 0 < bitrate < len(_KBITS):
        return None
    kbits, samples = (_KBITS, 144) if version == _MPEG_1 else (_KBITS_LOW, 72)
    return samples * 1000 * kbits[bitrate] // (_RATES[rate] >> _RATE_SHIFT[version]) + (head[2] >> 1 & 1)


def _end_of_tag(data: bytes) -> int | None:
    """Where the sound begins, behind a tag if there is one; None = that is not known yet."""
    if not data.startswith(_TAG):
        return None if len(data) < len(_TAG) and _TAG.startswith(data) else 0
    if len(data) < _TAG_HEAD:
        return None
    size = 0
    for byte in data[6:_TAG_HEAD]:
        size = size << 7 | byte & 0x7F
    return _TAG_HEAD + size + (_TAG_HEAD if data[5] & _FOOTER else 0)
