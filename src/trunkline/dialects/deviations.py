"""How a body is fitted to an endpoint that has other names for keys, or none."""

from collections.abc import MutableMapping

from trunkline.protocol.quirks import Quirks


def rename(body: MutableMapping[str, object], quirks: Quirks) -> None:
    """Take the keys of `drop` out, then give those of `rename` the endpoint's names."""
    for key in quirks.drop:
        body.pop(key, None)
    for key in quirks.rename.keys() & body.keys():
        body[quirks.rename[key]] = body.pop(key)
