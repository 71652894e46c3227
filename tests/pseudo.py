"""A pseudo-language that puts every translatable text in ⟦brackets⟧.

A text outside of brackets can't be translated, unless it is data or a number. So the results of our
filters get brackets too, and texts from the database are ignored.
"""

import functools
import re
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from flask import Flask

ROOT = Path(__file__).parent.parent
KEYWORDS = DEFAULT_KEYWORDS | {"lazy_gettext": None, "gettext_noop": None}
FORMATS = ("money", "signed_money", "change", "money_parts", "number", "percent", "exact", "day")
FORMATS += (
    "long_day",
    "month",
    "long_month",
    "moment",
    "near_day",
    "inline_moment",
    "exact_moment",
    "ago",
    "duration",
)
READ_OUT = ("alt", "aria-description", "aria-label", "aria-valuetext", "data-text", "label")
READ_OUT += ("placeholder", "title")
UNSEEN = (
    "script",
    "style",
    "template",
    "kbd",
    "pre",
    "text",
)  # keyboard keys and raw data have no language, and a chart's texts are days and amounts
BRACKETS = re.compile("⟦[^⟦⟧]*⟧")


def bracketed(text: str) -> str:
    return f"⟦{text}⟧"


@functools.cache  # reading every file takes a second
def messages() -> list[tuple[str | tuple[str, ...], str | None]]:
    """Return each text that `make messages` finds, or its two forms, and its context."""
    with (ROOT / "babel.cfg").open() as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = extract_from_dir(ROOT, methods, options, KEYWORDS)
    return [(message, context) for _, _, message, _, context in found]


def translate(app: Flask, locale: str, directory: Path) -> None:
    """Make `app` use brackets for `locale`, with a catalog that is written to `directory`."""
    catalog = Catalog(locale=locale)
    for message, context in messages():
        forms = message if isinstance(message, tuple) else (message,)
        translated = [bracketed(form) for form in forms]
        if len(forms) == 2:
            translated += translated[1:] * (catalog.num_plurals - 2)
        catalog.add(
            message, tuple(translated) if len(forms) == 2 else translated[0], context=context
        )
    file = directory / locale / "LC_MESSAGES" / "messages.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as out:
        write_mo(out, catalog)
    app.extensions["babel"].translation_directories = [str(directory)]
    for name in FORMATS:
        app.jinja_env.filters[name] = _marking(app.jinja_env.filters[name])


def _marking(formatted: Callable[..., object]) -> Callable[..., object]:
    def mark(*args: object, **options: object) -> object:
        result = formatted(*args, **options)
        if isinstance(result, tuple):
            return type(result)(*map(bracketed, result))  # type: ignore[arg-type]
        return result and bracketed(str(result))

    return mark


class _Texts(HTMLParser):
    """Every text on a page that a person can see or hear."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []  # one for each attribute
        self.words = ""  # all text between tags, since a text in brackets may contain tags
        self._unseen = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in UNSEEN
        attributes = dict(attrs)
        self.found += [attributes[name] or "" for name in READ_OUT if name in attributes]
        if tag == "input" and attributes.get("type") in ("submit", "button", "reset"):
            self.found.append(attributes.get("value") or "")
        if tag == "meta" and attributes.get("name") == "description":
            self.found.append(attributes.get("content") or "")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in UNSEEN

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words += " ".join(data.split()) + "\n"


@functools.lru_cache(maxsize=8)  # many pages in a row have the same data
def _any_of(texts: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(texts, key=len, reverse=True)
    words = (rf"(?<!\w){re.escape(text)}(?!\w)" for text in longest_first)
    return re.compile("|".join(words) or "(?!)")


def untranslatable(html: str, data: Iterable[str] = ()) -> Iterator[str]:
    """Yield the texts of a page that are outside of brackets and not in `data`."""
    known = _any_of(frozenset(filter(None, data)))
    page = _Texts(html)
    for text in (page.words, *page.found):
        rest = text
        while rest != (rest := BRACKETS.sub(" ", rest)):
            pass
        for line in known.sub(" ", rest).splitlines():
            if re.search(r"[^\W\d_]", line):
                yield line.strip()
