"""Security headers, which every answer has."""

from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request, session

from config import PLAID_HOSTS

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


def init_app(app: Flask) -> None:
    app.after_request(_protect)
    app.add_template_global(leads_to_plaid)


def leads_to_plaid() -> str:
    """Allow the forms of this page to lead to Plaid. Templates call it next to such a button.

    Chromium applies `form-action` to every redirect that follows a form.
    """
    g.leads_to_plaid = True
    return ""


def _protect(response: Response) -> Response:
    plaid = f" {_plaid()}" if g.get("leads_to_plaid") else ""
    response.headers["Content-Security-Policy"] = POLICY.format(plaid=plaid)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static" and "_user_id" in session:  # Flask-Login's key; needs no query
        # On a shared computer, the back button must not show balances after a log-out.
        response.headers["Cache-Control"] = "no-store"
    return response


def _plaid() -> str:
    """Return where Hosted Link is. A stand-in for Plaid, such as the sandbox, has its own."""
    url = current_app.config["PLAIDAPP"].plaid_url
    if url in PLAID_HOSTS.values():
        return PLAID
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
