"""What the pages behind links in mails have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import make_response, render_template
from werkzeug import Response

from plaidapp.store import MailLink, User
from plaidapp.store.people import mail_links

View = Callable[[MailLink, User], Any]


def opens(purpose: str) -> Callable[[View], Callable[..., Response]]:
    """Give the view the link with the token in its address, and the person whose link it is.

    A page says so if the link works no more. The address is a secret, so that it is kept out of
    caches and not told to other addresses.
    """

    def decorate(view: View) -> Callable[..., Response]:
        @wraps(view)
        def answer(**in_path: str) -> Response:
            (token,) = in_path.values()
            found = mail_links.find(purpose, mail_links.hash_of(token))
            response = make_response(view(*found) if found else dead(purpose))
            response.headers["Referrer-Policy"] = "strict-origin"
            response.headers["Cache-Control"] = "no-store"
            return response

        return answer

    return decorate


def dead(purpose: str) -> tuple[str, int]:
    """Say that the link works no more."""
    return render_template("auth/dead_link.html", purpose=purpose), 404
