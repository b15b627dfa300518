"""PDFs made by hand, byte by byte (ISO 32000-1): text pages, scanned pages, and files that mean harm."""

import zlib
from collections.abc import Sequence


def document(objects: Sequence[bytes]) -> bytes:
    """A file of these objects, numbered from 1; the first is the catalogue."""
    out = [b"%PDF-1.7\n"]
    places = []
    start = len(out[0])
    for number, body in enumerate(objects, 1):
        places.append(start)
        out.append(b"%d 0 obj\n%b\nendobj\n" % (number, body))
        start += len(out[-1])
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table))
    out.append(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return b"".join(out)


def stream(data: bytes, entries: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), entries, data)


def pdf(*texts: str) -> bytes:
    """One page for each text."""
    return pages([_written(text) for text in texts])


def pages(contents: Sequence[bytes], resources: bytes = b"", more: Sequence[bytes] = ()) -> bytes:
    """Pages with these contents; `more` objects follow the font, from number 4 on."""
    first = 4 + len(more)
    kids = b" ".join(b"%d 0 R" % (first + 2 * place) for place in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%b] /Count %d >>" % (kids, len(contents)),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *more,
    ]
    for place, content in enumerate(contents):
        page = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents %d 0 R /Resources << /Font << /F1 3 0 R >> %b >> >>"
        objects += [page % (first + 2 * place + 1, resources), stream(content)]
    return document(objects)


def scan(width: int = 40, height: int = 50, count: int = 1) -> bytes:
    """Pages without text, each filled with one grey image."""
    return with_image(zlib.compress(bytes([200]) * (width * height)), width, height, count)


def huge_scan() -> bytes:
    """A small file whose image has 400 million pixels."""
    return with_image(zeros(382), 20_000, 20_000)


def zeros(mebibytes: int) -> bytes:
    """So many mebibytes of zeros, deflated: one flushed block again and again, without the checksum, which readers of PDF do not miss."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = packer.compress(b"\0" * (1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return b"\x78\xda" + block * mebibytes + b"\x03\x00"


def with_image(data: bytes, width: int, height: int, count: int = 1) -> bytes:
    """Pages that show the image of this compressed data."""
    entries = b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
    image = stream(data, entries % (width, height))
    return pages([b"q 300 0 0 400 0 0 cm /Im1 Do Q"] * count, b"/XObject << /Im1 4 0 R >>", [image])


def flate_bomb(mebibytes: int = 2000) -> bytes:
    """A page whose content unpacks to so much."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Contents 4 0 R >>",
        stream(zeros(mebibytes), b"/Filter /FlateDecode"),
    ]
    return document(objects)


def encrypted() -> bytes:
    """A file that wants a password."""
    rest = b"/O <%b> /U <%b>" % (b"ab" * 32, b"cd" * 32)
    return pdf("secret").replace(b"/Root 1 0 R", b"/Root 1 0 R /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 %b >> /ID [<00> <00>]" % rest)


def _written(text: str) -> bytes:
    lines = text.split("\n")
    shown = [
        b"(%b) Tj 0 -14 Td" % line.encode("latin-1").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)") for line in lines
    ]
    return b"BT /F1 12 Tf 20 360 Td " + b" ".join(shown) + b" ET"
