"""docs/asvs.md judges every requirement of ASVS 5.0, level 2, and what it points to exists."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/asvs.md").read_text()
ROWS = re.findall(r"^\| (\d\S*) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)
LEVEL_2 = """
1.1.1-2 1.2.1-9 1.3.1-11 1.4.1-3 1.5.1-2 2.1.1-3 2.2.1-3 2.3.1-4 2.4.1 3.2.1-2 3.3.1-4 3.4.1-6
3.5.1-5 3.7.1-2 4.1.1-3 4.2.1 4.3.1-2 4.4.1-4 5.1.1 5.2.1-3 5.3.1-2 5.4.1-3 6.1.1-3 6.2.1-12
6.3.1-4 6.4.1-4 6.5.1-5 6.6.1-3 6.8.1-4 7.1.1-3 7.2.1-4 7.3.1-2 7.4.1-5 7.5.1-2 7.6.1-2 8.1.1-2
8.2.1-3 8.3.1 8.4.1 9.1.1-3 9.2.1-4 10.1.1-2 10.2.1-2 10.3.1-4 10.4.1-11 10.5.1-5 10.6.1-2
10.7.1-3 11.1.1-2 11.2.1-3 11.3.1-3 11.4.1-4 11.5.1 11.6.1 12.1.1-3 12.2.1-2 12.3.1-4 13.1.1
13.2.1-5 13.3.1-2 13.4.1-5 14.1.1-2 14.2.1-4 14.3.1-3 15.1.1-3 15.2.1-3 15.3.1-7 16.1.1 16.2.1-5
16.3.1-4 16.4.1-3 16.5.1-3 17.1.1 17.2.1-4 17.3.1-2
"""
"""The numbers of levels 1 and 2, from the first to the last of each section."""


def numbers():
    for each in LEVEL_2.split():
        section, _, span = each.rpartition(".")
        first, _, last = span.partition("-")
        yield from (f"{section}.{number}" for number in range(int(first), int(last or first) + 1))


@cache
def names_of_tests():
    files = (ROOT / "tests").rglob("test_*.py")
    return set(
        re.findall(r"^def (test_\w+)", "\n".join(f.read_text() for f in files), re.MULTILINE)
    )


def place_of(path):
    """Return the file or folder that a path of the page names, None if there is none."""
    return next((p for p in (ROOT / path, ROOT / "plaidapp" / path) if p.exists()), None)


def missing(row):
    """Yield what a row points to and does not exist."""
    for reference in re.findall(r"`([^`]+)`", row):
        path, _, name = reference.partition(":")
        if reference.startswith("test_") and "." not in reference:
            if reference not in names_of_tests():
                yield reference
        elif "/" in path.strip("/") or re.search(r"\.\w+$", path):
            place = place_of(path)
            pattern = rf"^((def|class) |(\w+, )*){name}\b"
            if place is None or (name and not re.search(pattern, place.read_text(), re.MULTILINE)):
                yield reference


def test_every_requirement_is_judged_once():
    assert [number for number, *_ in ROWS] == list(numbers())
    assert len(ROWS) == 253


def test_few_are_not_met():
    verdicts = Counter(verdict for _, _, verdict, _ in ROWS)

    assert verdicts.keys() == {"met", "n.a.", "not met"}
    assert verdicts["not met"] <= 5


def test_what_shows_that_they_are_met_exists():
    assert {number: gone for number, *_, row in ROWS if (gone := list(missing(row)))} == {}


def test_links_lead_to_headings():
    for file, heading in re.findall(r"\]\(([\w./]+)#([\w-]+)\)", PAGE):
        headings = re.findall(r"^#+ (.+)$", (ROOT / "docs" / file).read_text(), re.MULTILINE)
        assert heading in {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}


@pytest.mark.parametrize(
    "row",
    ["`test_nothing_at_all`", "`auth/nothing.py`", "`auth/access.py:nothing`", "`nothing.py:x`"],
)
def test_what_is_missing_is_found(row):
    assert list(missing(row)) == [row.strip("`")]
