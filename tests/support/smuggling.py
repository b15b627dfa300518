"""Requests that two readers may cut in different places (RFC 9112, 11.2): one of them would take the end for a request of its own.

Each is refused before anything of it, or of what follows it, becomes a call.
"""

from collections.abc import Mapping

FORGED = b"POST /api/v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nFORGED"
CHUNKED = b"Transfer-Encoding: chunked"

_HEADS: Mapping[str, bytes] = {
    "both": b"Content-Length: 4\r\nTransfer-Encoding: chunked",
    "both-the-other-way": b"Transfer-Encoding: chunked\r\nContent-Length: 4",
    "both-and-an-upgrade": b"Connection: upgrade\r\nUpgrade: h2c\r\nTransfer-Encoding: chunked\r\nContent-Length: 4",
    "two-lengths": b"Content-Length: 4\r\nContent-Length: 5",
    "the-same-length-twice": b"Content-Length: 5\r\nContent-Length: 5",
    "a-list-of-lengths": b"Content-Length: 5, 5",
    "plus": b"Content-Length: +5",
    "minus": b"Content-Length: -5",
    "hexadecimal": b"Content-Length: 0x5",
    "underscore": b"Content-Length: 5_0",
    "no-length": b"Content-Length:",
    "two-words": b"Content-Length: 5 5",
    "beyond-64-bits": b"Content-Length: 18446744073709551621",
    "space-before-the-colon": b"Transfer-Encoding : chunked",
    "nul-before-the-colon": b"Content-Length\x00: 5",
    "vertical-tab": b"Transfer-Encoding:\x0bchunked",
    "quotes": b'Transfer-Encoding: "chunked"',
    "a-parameter": b"Transfer-Encoding: chunked;q=1",
    "another-coding": b"Transfer-Encoding: xchunked",
    "chunked-twice": b"Transfer-Encoding: chunked, chunked",
    "not-chunked-last": b"Transfer-Encoding: chunked, identity",
    "not-chunked-last-by-lines": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    "identity": b"Transfer-Encoding: identity",
    "no-coding": b"Transfer-Encoding:",
    "folded": b"X: a\r\n b\r\nContent-Length: 5",
    "folded-length": b"Content-Length:\r\n 5",
    "folded-coding": b"Transfer-Encoding:\r\n chunked",
    "folded-first-line": b" X: a\r\nContent-Length: 5",
    "bare-lf": b"X: a\nContent-Length: 5",
    "bare-cr": b"X: a\rContent-Length: 5",
    "no-name": b": x\r\nContent-Length: 5",
    "control-character": b"Content-Length: 5\r\n\x0bX: y",
}
_CHUNKS: Mapping[str, bytes] = {
    "hexadecimal-mark": b"0x5\r\nabcde\r\n0\r\n\r\n",
    "plus": b"+5\r\nabcde\r\n0\r\n\r\n",
    "minus": b"-5\r\nabcde\r\n0\r\n\r\n",
    "space-before": b" 5\r\nabcde\r\n0\r\n\r\n",
    "space-after": b"5 \r\nabcde\r\n0\r\n\r\n",
    "no-size": b"\r\nabcde\r\n0\r\n\r\n",
    "no-digits": b"xyz\r\nabcde\r\n0\r\n\r\n",
    "beyond-64-bits": b"10000000000000005\r\nabcde\r\n0\r\n\r\n",
    "too-long": b"6\r\nabcde\r\n0\r\n\r\n",
    "too-short": b"4\r\nabcde\r\n0\r\n\r\n",
    "bare-lf": b"5\nabcde\n0\n\n",
    "bare-lf-after-the-data": b"5\r\nabcde\n0\r\n\r\n",
    "bare-lf-after-an-extension": b"5;a\nabcde\r\n0\r\n\r\n",
    "bare-cr": b"5\rXabcde\r\n0\r\n\r\n",
    "bare-lf-at-the-end": b"0\n\n",
    "folded-trailer": b"0\r\nX: a\r\n b\r\n\r\n",
}


def forgeries(path: str, *, version: bytes = b"1.1") -> dict[str, bytes]:
    """Requests for `path` by name, each followed by a forged one."""
    top = b"POST %b HTTP/%b\r\nHost: here\r\n" % (path.encode(), version)
    heads = {f"head-{name}": top + lines + b"\r\n\r\n0\r\n\r\n" for name, lines in _HEADS.items()}
    chunks = {f"chunk-{name}": top + CHUNKED + b"\r\n\r\n" + body for name, body in _CHUNKS.items()}
    return {name: request + FORGED for name, request in {**heads, **chunks}.items()}
