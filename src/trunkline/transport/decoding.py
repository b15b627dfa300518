"""Content codings of a response body (RFC 9110, 8.4), undone piece by piece and never beyond a limit."""

import zlib
from collections.abc import Callable, Mapping
from typing import Protocol

import brotli  # type: ignore[import-untyped]
import zstandard

from trunkline.errors import ConnectionLost, MalformedResponse, ResponseTooLarge

_SLICE = 256
"""zstd gives all the output of its input at once: fed in slices of this many bytes, a bomb is noticed within 8 MB."""
_PORTION = 256 * 1024
"""Output of one call, about: a small piece may hold gigabytes, and whoever reads it works on all that it is given at once."""
_ZSTD_WINDOW = 8 * 1024 * 1024
"""RFC 9659: the window that a decoder for the web must support, and need not go beyond."""


class Codec(Protocol):
    """One coding. `decode` gives the output of `data`, and may stop once that is longer than `room`; it raises the library's own error.

    `full` = there is more output of what it was given: it takes no further data before that is fetched.
    """

    finished: bool
    full: bool

    def decode(self, data: bytes, room: int) -> bytes: ...


class Gzip:
    """gzip (RFC 1952); several members follow each other as one body."""

    def __init__(self) -> None:
        self.finished = self.full = False
        self._stream = zlib.decompressobj(wbits=31)

    def decode(self, data: bytes, room: int) -> bytes:
        output = b""
        while data and len(output) <= room:
            if self.finished:
                self._stream = zlib.decompressobj(wbits=31)
            output += self._stream.decompress(data, room + 1 - len(output))
            self.finished = self._stream.eof
            data = self._stream.unused_data
        return output


class Deflate:
    """deflate: zlib data (RFC 1950), or, from some servers, the bare stream (RFC 1951)."""

    def __init__(self) -> None:
        self.finished = self.full = False
        self._held = b""
        self._stream: zlib._Decompress | None = None

    def decode(self, data: bytes, room: int) -> bytes:
        if self.finished:
            return b""  # zlib would keep all that follows the end
        if self._stream is None:
            data = self._held + data
            if len(data) < 2:
                self._held = data
                return b""
            is_zlib = data[0] & 0x0F == 8 and (data[0] << 8 | data[1]) % 31 == 0
            self._stream = zlib.decompressobj(wbits=15 if is_zlib else -15)
        output = self._stream.decompress(data, room + 1)
        self.finished = self._stream.eof
        return output


class Brotli:
    """br (RFC 7932)."""

    def __init__(self) -> None:
        self.finished = self.full = False
        self._stream = brotli.Decompressor()

    def decode(self, data: bytes, room: int) -> bytes:
        limit = min(room, _PORTION) + 1
        output: bytes = self._stream.process(data, output_buffer_limit=limit)
        self.finished = self._stream.is_finished()
        self.full = not self.finished and (len(output) >= limit or not self._stream.can_accept_more_data())
        return output


class Zstandard:
    """zstd (RFC 8878); several frames follow each other as one body."""

    def __init__(self) -> None:
        self.finished = self.full = False
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._stream = self._decompressor.decompressobj()

    def decode(self, data: bytes, room: int) -> bytes:
        output = b""
        while data and len(output) <= room:
            if self.finished:
                self._stream = self._decompressor.decompressobj()
            output += self._stream.decompress(data)
            self.finished = self._stream.eof
            data = self._stream.unused_data if self.finished else b""
        return output


CODECS: Mapping[bytes, Callable[[], Codec]] = {
    b"gzip": Gzip,
    b"x-gzip": Gzip,
    b"deflate": Deflate,
    b"br": Brotli,
    b"zstd": Zstandard,
}
_CODEC_ERRORS = (zlib.error, brotli.error, zstandard.ZstdError)


class Decoder:
    """Undoes one coding of one body. `limit` is the largest decoded size in bytes; `paused` = the last call has not given all."""

    def __init__(self, codec: Codec, *, limit: int) -> None:
        self.limit = limit
        self.paused = False
        self._codec = codec
        self._size = 0
        self._begun = False

    def decode(self, data: bytes) -> tuple[bytes, bytes]:
        """The output of the next piece, which may be empty, and what is left of the piece when there is more than enough for one call.

        While `paused`, call again with what is left, even if it is empty.
        Raises MalformedResponse for bad data, ResponseTooLarge beyond the limit.
        """
        self._begun = True
        outputs = []
        size = at = 0
        while (at < len(data) or self._codec.full) and size < _PORTION:
            piece = b"" if self._codec.full else data[at : at + _SLICE]
            outputs.append(self._decode(piece))
            size += len(outputs[-1])
            at += len(piece)
        self.paused = at < len(data) or self._codec.full
        return b"".join(outputs), data[at:]

    def _decode(self, data: bytes) -> bytes:
        try:
            output = self._codec.decode(data, self.limit - self._size)
        except _CODEC_ERRORS as error:
            raise MalformedResponse(f"the response body does not decode: {error}") from error
        self._size += len(output)
        if self._size > self.limit:
            raise ResponseTooLarge(f"the decoded response body is larger than {self.limit} bytes")
        return output

    def finish(self) -> None:
        """The body has ended. Raises ConnectionLost when its coding had not."""
        if self._begun and not self._codec.finished:
            raise ConnectionLost("the response ended inside its compressed body")


def open_decoder(coding: bytes, *, limit: int) -> Decoder | None:
    """A decoder for the value of `content-encoding`, None for `identity`. Raises MalformedResponse for any other coding, or several."""
    name = coding.strip().lower()
    if name in (b"identity", b""):
        return None
    codec = CODECS.get(name)
    if codec is None:
        raise MalformedResponse(f"content-encoding {coding[:40]!r} is not supported")
    return Decoder(codec(), limit=limit)
