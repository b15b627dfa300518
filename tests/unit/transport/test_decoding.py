"""Content codings, cut anywhere, and bounded."""

import gzip
import time
import tracemalloc
import zlib

import brotli
import pytest
import zstandard

from trunkline.errors import ConnectionLost, MalformedResponse, ResponseTooLarge
from trunkline.transport.decoding import Decoder, open_decoder

TEXT = b'{"choices": [{"message": {"content": "' + bytes(range(32, 127)) * 40 + b'"}}]}'


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACKERS = {
    "gzip": (b"gzip", gzip.compress),
    "x-gzip": (b"X-GZIP", gzip.compress),
    "gzip-members": (b"gzip", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
    "deflate": (b"deflate", zlib.compress),
    "raw-deflate": (b"deflate", _raw_deflate),
    "br": (b" br ", lambda data: brotli.compress(data, quality=5)),
    "zstd": (b"zstd", zstandard.compress),
    "zstd-frames": (b"zstd", lambda data: zstandard.compress(data[:100]) + zstandard.compress(data[100:])),
}


def unpack(decoder: Decoder, data: bytes) -> bytes:
    """The output of all of `data`."""
    output, data = decoder.decode(data)
    while decoder.paused:
        portion, data = decoder.decode(data)
        output += portion
    assert not data
    return output


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("size", [1, 13, 100_000])
def test_every_coding_cut_anywhere(name, size):
    coding, pack = PACKERS[name]
    packed = pack(TEXT)
    decoder = open_decoder(coding, limit=len(TEXT))
    assert b"".join(unpack(decoder, packed[start : start + size]) for start in range(0, len(packed), size)) == TEXT
    decoder.finish()


@pytest.mark.parametrize("name", PACKERS)
def test_one_byte_over_the_limit(name):
    coding, pack = PACKERS[name]
    with pytest.raises(ResponseTooLarge):
        unpack(open_decoder(coding, limit=len(TEXT) - 1), pack(TEXT))


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_noticed_early(name):
    coding, pack = PACKERS[name]
    bomb = pack(bytes(20_000_000))
    started = time.process_time()
    with pytest.raises(ResponseTooLarge):
        unpack(open_decoder(coding, limit=100_000), bomb)
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize("name", PACKERS)
def test_a_large_output_comes_in_portions(name):
    coding, pack = PACKERS[name]
    decoder = open_decoder(coding, limit=20_000_000)
    data, sizes = pack(bytes(20_000_000)), []
    while data or decoder.paused:
        portion, data = decoder.decode(data)
        sizes.append(len(portion))
    assert sum(sizes) == 20_000_000
    assert max(sizes) < (8_400_000 if coding == b"zstd" else 1_000_000)
    decoder.finish()


def test_what_follows_the_end_of_deflate_is_not_kept():
    decoder = open_decoder(b"deflate", limit=100_000)
    assert unpack(decoder, zlib.compress(TEXT)) == TEXT
    tracemalloc.start()
    try:
        for _ in range(100):
            assert unpack(decoder, bytes(100_000)) == b""
        assert tracemalloc.get_traced_memory()[0] < 1_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", PACKERS)
def test_an_end_that_is_missing(name):
    coding, pack = PACKERS[name]
    decoder = open_decoder(coding, limit=100_000)
    unpack(decoder, pack(TEXT)[:-3])
    with pytest.raises(ConnectionLost):
        decoder.finish()


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_garbage(coding):
    with pytest.raises(MalformedResponse):
        open_decoder(coding, limit=100_000).decode(b"\xff\xfe this is not packed at all" * 30)


@pytest.mark.parametrize("coding", [b"gzip", b"deflate", b"br", b"zstd"])
def test_a_body_that_never_began_is_whole(coding):
    open_decoder(coding, limit=10).finish()


def test_a_window_that_no_web_server_may_ask_for():
    packer = zstandard.ZstdCompressor(compression_params=zstandard.ZstdCompressionParameters(window_log=27))
    stream = packer.compressobj()
    with pytest.raises(MalformedResponse):
        open_decoder(b"zstd", limit=100_000).decode(stream.compress(TEXT) + stream.flush())


def test_identity_and_unknown():
    assert open_decoder(b"identity", limit=1) is None
    assert open_decoder(b"", limit=1) is None
    for coding in (b"compress", b"gzip, br"):
        with pytest.raises(MalformedResponse):
            open_decoder(coding, limit=1)
