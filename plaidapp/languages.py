"""The language and region of a page, from the languages that the visitor's browser names.

Numbers and currencies follow the visitor's locale. Texts do too where there is a translation, and
dates are part of the texts: without a translation, both are in English.
"""

from functools import lru_cache
from typing import Any

import flask_babel
from babel import Locale, UnknownLocaleError, localedata
from flask import Flask, Response, after_this_request, g, has_request_context, request
from flask_babel import Babel, Domain, get_babel, get_locale
from jinja2 import pass_eval_context
from jinja2.nodes import EvalContext
from markupsafe import Markup, escape

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


class OneLanguage(Domain):
    """The translations into the language of one request."""

    def __init__(self, translations: Any) -> None:
        self._translations = translations

    def get_translations(self) -> Any:
        return self._translations


def _domain() -> Any:
    """Find the translations once in each request. Flask-Babel does it for each text, which took a
    tenth of the time of a page."""
    try:
        return g.one_language
    except AttributeError:
        found = get_babel().instance.domain_instance.get_translations()
        g.one_language = OneLanguage(found)
        return g.one_language
    except RuntimeError:  # outside of a request
        return Domain()  # type: ignore[no-untyped-call]


flask_babel.get_domain = _domain


def init_app(app: Flask) -> None:
    Babel().init_app(  # type: ignore[no-untyped-call]
        app,
        default_locale=DEFAULT,
        default_timezone="UTC",
        default_translation_directories="plaidapp/translations",
        locale_selector=requested,
    )
    app.jinja_env.policies["ext.i18n.trimmed"] = True  # as in babel.cfg
    app.jinja_env.globals.update(_=_text, gettext=_text)
    app.context_processor(_attributes)


@pass_eval_context
def _text(context: EvalContext, text: str, /, **variables: object) -> str:
    """Translate a text of a template. Jinja's own function calls three others."""
    translated: str = _domain().get_translations().ugettext(text)
    if not context.autoescape:
        return translated % variables
    escaped = {name: escape(value) for name, value in variables.items()}
    return Markup(translated % escaped)  # noqa: S704, as Jinja: texts of templates are ours


def current_locale() -> Locale:
    """The locale of the request; English outside of one."""
    try:
        locale: Locale = g.locale
    except AttributeError:
        locale = g.locale = get_locale() or ENGLISH
    except RuntimeError:
        locale = ENGLISH
    return locale


def text_locale() -> Locale:
    """The locale of the page's texts and of the dates within them: English if there is no
    translation into the visitor's language."""
    locale = current_locale()
    if locale.language == DEFAULT:
        return locale
    return (
        locale if locale.language in _translated(*get_babel().translation_directories) else ENGLISH
    )


@lru_cache(8)
def _translated(*_directories: str) -> frozenset[str]:
    """The languages that there is a translation into. Looking for the files takes long."""
    known = get_babel().instance.list_translations()  # type: ignore[no-untyped-call]
    return frozenset(locale.language for locale in known)


def _attributes() -> dict[str, str]:
    """The attributes of <html>. Its language is that of the texts, for screen readers and for the
    dates that scripts write. `locale` is for their numbers."""
    texts = text_locale()
    return {
        "locale": str(current_locale()).replace("_", "-"),
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
