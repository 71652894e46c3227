"""Refuse changes that another site's page asks for. CSRF tokens are checked besides.

A browser names the page's site in two headers, and no page can change them. A request without
them, from an old browser or a program, is judged by its token alone.
"""

import logging
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from flask_babel import lazy_gettext

from .error_pages import answer, note_refusal
from .extensions import READ_ONLY_METHODS

log = logging.getLogger(__name__)

OWN_SITES = {"same-origin", "none"}
"""Values of Sec-Fetch-Site. A request that no page began, such as a reload, has "none"."""
PORTS = {"http": 80, "https": 443}
FOREIGN = lazy_gettext("This was sent from another site’s page, so nothing was changed.")


def init_app(app: Flask) -> None:
    app.before_request(_refuse_foreign)


def _refuse_foreign() -> Response | None:
    if request.method in READ_ONLY_METHODS or request.blueprint == "webhooks":  # signed
        return None
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if (site is None or site in OWN_SITES) and (origin is None or is_own(origin)):
        return None
    log.warning(
        "A POST to the host %.100r from the origin %.100r was refused. If people reach this app"
        " there, set PUBLIC_URL.",
        request.host,
        origin,
    )
    note_refusal(403)
    return answer(403, str(FOREIGN))


def is_own(origin: str) -> bool:
    """Is it the origin of this request, or of PUBLIC_URL?

    Without TRUSTED_PROXIES, a request over https may look as if it came over http.
    """
    scheme = origin.partition(":")[0]
    if scheme not in PORTS or (request.is_secure and scheme == "http"):
        return False
    public = current_app.config["PLAIDAPP"].public_url or ""
    try:
        return _place(origin) in (_place(f"{scheme}://{request.host}"), _place(public))
    except ValueError:  # an address that can't be read
        return False


def _place(address: str) -> tuple[str, str | None, int | None]:
    url = urlsplit(address)
    return url.scheme, url.hostname, url.port or PORTS.get(url.scheme)
