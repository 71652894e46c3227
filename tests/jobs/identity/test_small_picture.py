"""A logo is drawn again, small; whatever is no picture is refused."""

import io
import struct
import zlib

import pytest
from PIL import Image

from plaidapp import policy
from plaidapp.jobs.identity.small_picture import NoPictureError, small_picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def file_of(kind, size=(100, 100), mode="RGBA", **options):
    file = io.BytesIO()
    Image.new(mode, size, "#0b6b57").save(file, kind, **options)
    return file.getvalue()


def png_that_claims(width, height):
    """A file of a few bytes that says it has so many pixels."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content))
            + kind
            + content
            + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "mode"),
    [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "RGB"), ("WEBP", "RGB")],
)
def test_a_picture_is_drawn_again_as_a_small_one(kind, mode):
    small = small_picture(file_of(kind, (300, 150), mode))

    with Image.open(io.BytesIO(small)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (policy.LOGO_SIDE, policy.LOGO_SIDE // 2))
    assert len(small) < 2_000


def test_nothing_else_of_the_file_is_kept():
    comment = Image.Exif()
    comment[0x010E] = "where it was taken"
    sent = file_of("PNG", exif=comment) + b"<script>a second file</script>"

    small = small_picture(sent)

    assert b"where it was taken" in sent
    assert b"taken" not in small
    assert b"script" not in small


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        SVG,
        b"GIF89a",
        file_of("GIF", mode="P"),
        file_of("BMP", mode="RGB"),
        file_of("TIFF"),
        file_of("PNG")[:60],
        file_of("PNG")[:-30],
        file_of("JPEG", mode="RGB")[:200],
        file_of("WEBP")[:40],
        png_that_claims(0, 10),
        png_that_claims(60_000, 60_000),
        png_that_claims(2**31 - 1, 2**31 - 1),
        file_of("PNG", (1001, 1000)),
    ],
    ids=range(15),
)
def test_anything_else_is_refused(body):
    with pytest.raises(NoPictureError):
        small_picture(body)
