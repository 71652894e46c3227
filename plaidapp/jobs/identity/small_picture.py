"""Make a small picture of a file from the network, which may be anything.

It is drawn again, so nothing of the file itself is kept: no texts, no second file behind it.
"""

import io
import struct
import warnings

from plaidapp import policy

FORMATS = ("PNG", "JPEG", "WEBP")
"""Not SVG: it can have scripts and links."""


NOT_READABLE = (OSError, ValueError, TypeError, SyntaxError, EOFError, LookupError, struct.error)
"""What Pillow raises, depending on where a file is broken."""


class NoPictureError(Exception):
    """The file is no picture of a kind that we show, or too large a one."""


def small_picture(body: bytes) -> bytes:
    """Return a WebP file of at most LOGO_SIDE pixels on each side. Raises NoPictureError."""
    from PIL import Image  # rarely needed, and it takes 10 MB

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(body), formats=FORMATS) as file:
            warnings.simplefilter("ignore")
            if file.width * file.height > policy.LARGEST_PICTURE:  # known before it is decoded
                raise NoPictureError("too many pixels")
            picture = file.convert("RGBA")
        picture.thumbnail((policy.LOGO_SIDE, policy.LOGO_SIDE))
        small = io.BytesIO()
        picture.save(small, "WEBP", quality=85, method=6)
        return small.getvalue()
    except (*NOT_READABLE, Image.DecompressionBombError) as error:
        raise NoPictureError(type(error).__name__) from None
