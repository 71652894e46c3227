"""The browser and the system that a User-Agent header names.

People see them in the list of their devices. Nothing is decided by them: anyone can send any
header.
"""

import re
from functools import lru_cache

from flask_babel import gettext

LONGEST = 500  # characters; the rest of a longer header is ignored
BROWSERS = (
    ("Edge", r"Edg(e|A|iOS)?/"),
    ("Opera", r"OP(R|T|iOS)/"),
    ("Samsung Internet", r"SamsungBrowser/"),
    ("Vivaldi", r"Vivaldi/"),
    ("DuckDuckGo", r"(DuckDuckGo|Ddg)/"),
    ("Firefox", r"(Firefox|FxiOS)/"),
    ("Chrome", r"(Chrome|Chromium|HeadlessChrome|CriOS)/"),
    ("Safari", r"Version/.*Safari/"),
    ("curl", r"^curl/"),
    ("Python", r"^[Pp]ython"),
)
"""In this order, because most browsers also name those that they descend from."""
SYSTEMS = (
    ("iPhone", r"iPhone|iPod"),
    ("iPad", r"iPad"),
    ("Android", r"Android"),
    ("ChromeOS", r"CrOS"),
    ("Windows", r"Windows"),
    ("macOS", r"Macintosh"),
    ("Linux", r"Linux|X11"),
)


@lru_cache
def browser_and_system(user_agent: str) -> tuple[str, str]:
    """Return their names, such as ("Firefox", "macOS"). A name that is not known is empty."""
    return _first(BROWSERS, user_agent), _first(SYSTEMS, user_agent)


def device_name(browser: str, system: str) -> str:
    """Such as "Firefox on macOS"; empty if neither is known."""
    if browser and system:
        return gettext("%(browser)s on %(system)s", browser=browser, system=system)
    return browser or system


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    found = (name for name, pattern in names if re.search(pattern, user_agent[:LONGEST]))
    return next(found, "")
