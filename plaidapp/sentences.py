"""Sentences that jobs and webhooks stored in English, shown in the visitor's language."""

import re
from datetime import date

from flask import Flask
from flask_babel import gettext

from .days import long_day

ISO_DAY = re.compile(r"\b\d{4}-\d\d-\d\d\b")


def init_app(app: Flask) -> None:
    app.add_template_filter(sentence)


def sentence(stored: str | None) -> str:
    """Translate a stored sentence. A date in it, such as 2026-11-20, reads as in the locale.

    The catalog has the English sentence as its key, with %(day)s in place of a date and %(reason)s
    in place of what follows a colon: the reason is in Plaid's own words and stays as it is.
    """
    if not stored:
        return ""
    key, colon, reason = stored.partition(": ")
    key += colon and ": %(reason)s"
    iso_day = ISO_DAY.search(key)
    if iso_day is None:
        return gettext(key).replace("%(reason)s", reason)
    try:
        day = long_day(date.fromisoformat(iso_day[0]))
    except ValueError:  # not a date, such as 2026-02-31
        return stored
    translated = gettext(ISO_DAY.sub("%(day)s", key)).replace("%(day)s", day)
    return translated.replace("%(reason)s", reason)
