"""The sprite has every icon that the pages use, and no others."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from plaidapp.finance.transactions.category_labels import ICONS

ROOT = Path(__file__).parent.parent
SPRITE = ROOT / "static" / "icons.svg"
TEMPLATES = {path: path.read_text() for path in (ROOT / "templates").rglob("*.html")}
SYMBOL = "{http://www.w3.org/2000/svg}symbol"


@pytest.fixture(scope="module")
def symbols():
    tree = ElementTree.parse(SPRITE)  # noqa: S314 our own file
    return [symbol.attrib["id"] for symbol in tree.getroot().iter(SYMBOL)]


def test_the_sprite_has_every_icon_that_a_template_uses(symbols):
    used = {
        name
        for text in TEMPLATES.values()
        for name in re.findall(r"""\bicon\(\s*["']([a-z0-9-]+)["']""", text)
    }

    assert len(used) > 10
    assert used - set(symbols) == set()
    assert set(ICONS.values()) - set(symbols) == set()


def test_every_icon_in_the_sprite_is_used(symbols):
    quoted = {
        word
        for text in TEMPLATES.values()
        for word in re.findall(r"""["']([a-z0-9-]+)["']""", text)
    }

    assert set(symbols) - quoted - set(ICONS.values()) == set()
    assert len(symbols) == len(set(symbols))


def test_the_sprite_contains_only_shapes():
    names = {
        element.tag.rpartition("}")[2]
        for element in ElementTree.parse(SPRITE).iter()  # noqa: S314
    }

    assert names <= {"svg", "symbol", "path", "circle", "rect", "line", "polyline", "ellipse"}
