"""Files that others wrote are the ones we pinned, and docs/NOTICES.md credits each."""

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PINNED = {
    "plaidapp/auth/common_passwords.txt": (
        "708ef7135d8fac7cc0e767462531b4a132cb2914474223c14d9509d9ecaf0882"
    ),
    "static/vendor/htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
    "static/fonts/inter.woff2": "9912969ce556be276ece40fea08037864641169e6d47d012ce4729788e100bf1",
}


@pytest.fixture(scope="module")
def notices():
    """The license column of docs/NOTICES.md, by file."""
    table = (ROOT / "docs/NOTICES.md").read_text().splitlines()
    rows = [re.split(r"\s*\|\s*", line.strip("| ")) for line in table if line.startswith("| `")]
    return {row[0].strip("`"): row[3] for row in rows}


def vendored():
    """Every file that others wrote, without the license texts."""
    places = "static/vendor/*", "static/fonts/*", "static/icons.svg", "plaidapp/auth/*.txt"
    paths = [path for place in places for path in ROOT.glob(place)]
    return {str(path.relative_to(ROOT)) for path in paths if path.suffix != ".LICENSE"}


@pytest.mark.parametrize(("name", "sha256"), PINNED.items())
def test_a_vendored_file_is_the_pinned_one(name, sha256):
    assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == sha256


def test_every_vendored_file_but_the_sprite_is_pinned():
    assert vendored() - {"static/icons.svg"} == set(PINNED)


def test_every_vendored_file_has_a_notice(notices):
    assert set(notices) == vendored()


def test_every_notice_names_a_license_whose_text_is_shipped(notices):
    licenses = {re.search(r"`(.+)`", license)[1]: license for license in notices.values()}
    assert set(licenses) == {
        str(path.relative_to(ROOT))
        for place in ("static/*/*.LICENSE", "plaidapp/*/*.LICENSE")
        for path in ROOT.glob(place)
    }
    for path, license in licenses.items():
        title = license.split(",")[0].removesuffix(" 1.1")
        assert title.lower() in (ROOT / path).read_text().lower()


def test_the_app_has_a_license_of_its_own():
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026")
