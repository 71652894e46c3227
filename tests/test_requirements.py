"""requirements*.txt are what `make lock` makes of requirements*.in: exact, whole and hashed."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LISTS = ("requirements", "requirements-dev", "requirements-bench")
PINNED = re.compile(r"([\w.-]+)(\[[\w,]+\])?==([\w.]+)( ; [^\\]+)?")
SHA_256 = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def entries(path):
    """Each line of a list without its comments; a line that ends with a backslash goes on."""
    text = "\n".join(line for line in path.read_text().splitlines() if line.strip()[:1] != "#")
    return [line for line in text.replace("\\\n", "").splitlines() if line.strip()]


def versions(path):
    found = [PINNED.match(line) for line in entries(path) if not line.startswith("-")]
    return {match[1].lower(): match[3] for match in found}


@pytest.mark.parametrize("name", LISTS)
def test_pip_accepts_no_file_without_a_hash(name):
    for line in entries(ROOT / f"{name}.txt"):
        pinned, *hashes = re.split(r"\s+(?=--hash)", line)
        assert PINNED.fullmatch(pinned.strip()), line
        assert hashes, line
        assert all(SHA_256.fullmatch(each.strip()) for each in hashes), line


def test_every_list_has_what_was_asked_for_and_what_the_app_runs_on():
    whole = {}
    for name in LISTS:
        whole |= versions(ROOT / f"{name}.in")
        locked = versions(ROOT / f"{name}.txt")
        assert whole.items() <= locked.items(), "run `make lock`"
        whole |= locked
