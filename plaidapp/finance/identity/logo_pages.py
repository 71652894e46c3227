"""The logos of merchants and banks, from our database: a browser asks nobody else for them."""

import re

from flask import Response, abort

from plaidapp.store.identity import logos

from ..base.blueprint import blueprint

ADDRESS = re.compile(r"[A-Za-z0-9_-]{22}")
"""What secrets.token_urlsafe makes of 16 bytes."""
KEPT = "private, max-age=31536000, immutable"
"""What is at an address never changes. No proxy keeps it: what logos a person sees is private."""


@blueprint.get("/logos/<address>")
def logo(address: str) -> Response:
    """The address can't be guessed, so only a page that shows the logo tells it."""
    picture = logos.picture_at(address) if ADDRESS.fullmatch(address) else None
    if picture is None:
        abort(404)
    return Response(picture, mimetype="image/webp", headers={"Cache-Control": KEPT})
