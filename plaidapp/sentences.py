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

    The catalog has the English sentence as its key, with %(day)s in place of the date.
    """
    iso_day = ISO_DAY.search(stored or "")
    if not stored or not iso_day:
        return gettext(stored) if stored else ""
    try:
        day = long_day(date.fromisoformat(iso_day[0]))
    except ValueError:  # digits that are no date
        return stored
    return gettext(ISO_DAY.sub("%(day)s", stored)).replace("%(day)s", day)
