"""The supervisor's question to its own child: are you up, and are you mine? The only connection made outside of `transport`, and to
loopback only.
"""

import asyncio

from trunkline.local.launch import HOST

PROBE_TIMEOUT = 1.0


async def answers(port: int, api_key: str, *, patience: float = PROBE_TIMEOUT) -> bool:
    """Whether a server on the loopback port serves models to the holder of `api_key`. False while it loads, or for a server with another
    key.
    """
    try:
        async with asyncio.timeout(patience):
            return await _status(port, api_key) == b"200"
    except (OSError, TimeoutError):
        return False


async def _status(port: int, api_key: str) -> bytes:
    reader, writer = await asyncio.open_connection(HOST, port)
    try:
        writer.write(
            f"GET /v1/models HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {api_key}\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        line = await reader.readline()
        parts = line.split()
        return parts[1] if len(parts) > 1 and parts[0].startswith(b"HTTP/1.") else b""
    except ValueError:
        return b""
    finally:
        writer.transport.abort()
