"""Which language and region a page speaks: the visitor's own, as their browser says.

Dates, numbers and currencies follow the locale; texts do as far as there is a translation.
"""

from babel import Locale, UnknownLocaleError
from flask import Flask, Response, after_this_request, has_request_context, request
from flask_babel import Babel, get_babel, get_locale

DEFAULT = "en"


def init_app(app: Flask) -> None:
    Babel().init_app(  # type: ignore[no-untyped-call]
        app,
        default_locale=DEFAULT,
        default_timezone="UTC",
        default_translation_directories="plaidapp/translations",
        locale_selector=wanted,
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as babel.cfg reads them
    app.context_processor(_of_texts)


def _of_texts() -> dict[str, str]:
    """What <html> says of itself: its language goes by the texts, since it is read aloud by it.

    A visitor whose language nobody has translated reads English words, from left to right, and
    dates and numbers by their own `locale`.
    """
    locale = get_locale() or Locale(DEFAULT)
    spoken = {known.language for known in get_babel().instance.list_translations()}  # type: ignore[no-untyped-call]
    texts = locale if locale.language in spoken else Locale(DEFAULT)
    return {
        "locale": str(locale).replace("_", "-"),
        "language": str(texts).replace("_", "-"),
        "direction": texts.text_direction,
    }


def wanted() -> str:
    """The first of the browser's languages that Unicode's CLDR knows; English without one."""
    if has_request_context():
        after_this_request(_vary)
        for tag, _weight in request.accept_languages:
            try:
                return str(Locale.parse(tag.replace("-", "_")))
            except (UnknownLocaleError, ValueError):
                continue
    return DEFAULT


def _vary(response: Response) -> Response:
    """The locale was asked for, so a cache on the way keeps the answers apart by it."""
    response.vary.add("Accept-Language")
    return response
