"""A second reader of PNG files, strict about everything that ours writes."""

import struct
import zlib


def pixels(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and pixels of a grey PNG; checks signature, order, lengths and checksums of the chunks."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    place, found = 8, []
    while place < len(png):
        size, kind = struct.unpack(">I4s", png[place : place + 8])
        data = png[place + 8 : place + 8 + size]
        assert struct.unpack(">I", png[place + 8 + size : place + 12 + size])[0] == zlib.crc32(kind + data)
        found.append((kind, data))
        place += 12 + size
    assert [kind for kind, _ in found] == [b"IHDR", b"IDAT", b"IEND"]
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", found[0][1])
    assert (depth, colour, rest) == (8, 0, [0, 0, 0])
    rows = zlib.decompress(found[1][1])
    lines = [rows[start : start + width + 1] for start in range(0, len(rows), width + 1)]
    assert all(line[0] == 0 for line in lines)
    return width, height, b"".join(line[1:] for line in lines)
