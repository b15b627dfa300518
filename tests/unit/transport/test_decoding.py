"""Content codings, cut anywhere, and bounded."""

import gzip
import time
import zlib

import brotli
import pytest
import zstandard

from trunkline.errors import ConnectionLost, MalformedResponse, ResponseTooLarge
from trunkline.transport.decoding import open_decoder

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


@pytest.mark.parametrize("name", PACKERS)
@pytest.mark.parametrize("size", [1, 13, 100_000])
def test_every_coding_cut_anywhere(name, size):
    coding, pack = PACKERS[name]
    packed = pack(TEXT)
    decoder = open_decoder(coding, limit=len(TEXT))
    assert b"".join(decoder.decode(packed[start : start + size]) for start in range(0, len(packed), size)) == TEXT
    decoder.finish()


@pytest.mark.parametrize("name", PACKERS)
def test_one_byte_over_the_limit(name):
    coding, pack = PACKERS[name]
    with pytest.raises(ResponseTooLarge):
        open_decoder(coding, limit=len(TEXT) - 1).decode(pack(TEXT))


@pytest.mark.parametrize("name", PACKERS)
def test_a_bomb_is_noticed_early(name):
    coding, pack = PACKERS[name]
    bomb = pack(bytes(20_000_000))
    started = time.process_time()
    with pytest.raises(ResponseTooLarge):
        open_decoder(coding, limit=100_000).decode(bomb)
    assert time.process_time() - started < 0.05


@pytest.mark.parametrize("name", PACKERS)
def test_an_end_that_is_missing(name):
    coding, pack = PACKERS[name]
    decoder = open_decoder(coding, limit=100_000)
    decoder.decode(pack(TEXT)[:-3])
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
