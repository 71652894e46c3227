"""Security headers, which every answer has."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request, session

from config import PLAID_HOSTS

from . import hosts, policy
from .auth import half_log_in

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'{plaid}",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

PLAID = "https://*.plaid.com"
NOT_USED = (
    *("accelerometer", "autoplay", "browsing-topics", "camera", "display-capture"),
    *("encrypted-media", "fullscreen", "geolocation", "gyroscope", "hid", "idle-detection"),
    *("local-fonts", "magnetometer", "microphone", "midi", "payment", "picture-in-picture"),
    *("screen-wake-lock", "serial", "storage-access", "sync-xhr", "usb"),
    *("window-management", "xr-spatial-tracking", "clipboard-read", "clipboard-write"),
)
"""Abilities of browsers that no page may use. Only passkeys are for our own pages."""
PERMISSIONS = ", ".join(
    (
        *(f"{ability}=()" for ability in NOT_USED),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    )
)
ALWAYS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", PERMISSIONS),
)
NAMES_PERSON = {"_user_id", half_log_in.KEY}
"""Keys of the session. The first is Flask-Login's."""
PUBLIC = {"static", "finance.logo"}
"""Endpoints whose answers are about nobody. They say themselves how long they may be kept."""
HTTPS_ONLY = f"max-age={int(policy.HTTPS_ONLY_FOR.total_seconds())}; includeSubDomains"


def init_app(app: Flask) -> None:
    app.after_request(_protect)
    app.wsgi_app = AddAlways(app.wsgi_app)  # type: ignore[method-assign]
    app.add_template_global(leads_to_plaid)


class AddAlways:
    """WSGI middleware. Flask's answers look through their headers for each that is added."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            own = {name for name, _value in headers}  # a page may be stricter
            missing = [header for header in ALWAYS if header[0] not in own]
            return start_response(status, headers + missing, *more)

        answered: Iterable[bytes] = self._app(environ, start)
        return answered


def leads_to_plaid() -> str:
    """Allow the forms of this page to lead to Plaid. Templates call it next to such a button.

    Chromium applies `form-action` to every redirect that follows a form.
    """
    g.leads_to_plaid = True
    return ""


def _protect(response: Response) -> Response:
    plaid = f" {_plaid()}" if g.get("leads_to_plaid") else ""
    response.headers.add("Content-Security-Policy", POLICY.format(plaid=plaid))
    if request.is_secure and hosts.is_public_name(request.host):
        response.headers["Strict-Transport-Security"] = HTTPS_ONLY
    if request.endpoint not in PUBLIC and not NAMES_PERSON.isdisjoint(session):  # needs no query
        # On a shared computer, the back button must not show balances after a log-out.
        response.headers["Cache-Control"] = "no-store"
    if g.get("is_logged_out"):
        # Cookies stay: the device is known, and has a theme.
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def _plaid() -> str:
    """Return where Hosted Link is. A stand-in for Plaid, such as the sandbox, has its own."""
    url = current_app.config["PLAIDAPP"].plaid_url
    if url in PLAID_HOSTS.values():
        return PLAID
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
