"""The language and region of a page, from the languages that the visitor's browser names.

Dates, numbers and currencies follow the locale. Texts do too where there is a translation.
"""

from typing import Any

from babel import Locale, UnknownLocaleError, localedata
from flask import Flask, Response, after_this_request, has_request_context, request
from flask_babel import Babel, get_babel, get_locale

DEFAULT = "en"
ENGLISH = Locale(DEFAULT)


class OwnLocaleData(localedata.LocaleDataDict):
    """Locale data that a Locale changes only in copies of its own.

    Babel stores each alias that it resolves, such as a month's name on its own, in data that other
    locales share. Without the copies, a page can show names in the language of an earlier request.
    See https://github.com/python-babel/babel/issues/1234.
    """

    def __init__(self, data: Any, base: Any = None) -> None:
        super().__init__(data.copy(), self if base is None else base)


localedata.LocaleDataDict = OwnLocaleData  # type: ignore[misc]


def init_app(app: Flask) -> None:
    Babel().init_app(  # type: ignore[no-untyped-call]
        app,
        default_locale=DEFAULT,
        default_timezone="UTC",
        default_translation_directories="plaidapp/translations",
        locale_selector=requested,
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as in babel.cfg
    app.context_processor(_attributes)


def current_locale() -> Locale:
    """The locale of the request; English outside of one."""
    return get_locale() or ENGLISH


def _attributes() -> dict[str, str]:
    """The attributes of <html>. Its language is that of the texts, for screen readers.

    Without a translation, the texts are in English and run from left to right. Dates and numbers
    still follow the visitor's `locale`.
    """
    locale = current_locale()
    translated = {known.language for known in get_babel().instance.list_translations()}  # type: ignore[no-untyped-call]
    texts = locale if locale.language in translated else ENGLISH
    return {
        "locale": str(locale).replace("_", "-"),
        "language": str(texts).replace("_", "-"),
        "direction": texts.text_direction,
    }


def requested() -> str:
    """The browser's first language that Unicode's CLDR knows; English if there is none."""
    if has_request_context():
        after_this_request(_vary)
        for tag, _weight in request.accept_languages:
            try:
                return str(Locale.parse(tag.replace("-", "_")))
            except (UnknownLocaleError, ValueError):
                continue
    return DEFAULT


def _vary(response: Response) -> Response:
    """Tell caches that the answer depends on the browser's languages."""
    response.vary.add("Accept-Language")
    return response
