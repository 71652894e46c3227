"""Which language and region a page speaks: the visitor's own, as their browser says.

Dates, numbers and currencies follow the locale; texts do as far as there is a translation.
"""

from babel import Locale, UnknownLocaleError
from flask import Flask, has_request_context, request
from flask_babel import Babel

DEFAULT = "en"


def init_app(app: Flask) -> None:
    Babel(app, default_locale=DEFAULT, default_timezone="UTC", locale_selector=wanted)


def wanted() -> str:
    """The first of the browser's languages that Unicode's CLDR knows; English without one."""
    if has_request_context():
        for tag, _weight in request.accept_languages:
            try:
                return str(Locale.parse(tag.replace("-", "_")))
            except (UnknownLocaleError, ValueError):
                continue
    return DEFAULT
