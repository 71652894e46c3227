"""How texts are written, and how sentences that jobs stored are shown in the visitor's language."""

import re

import pytest

from plaidapp import sentences
from tests.pseudo import ROOT, messages


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ("The bank is down.", "The bank is down."),
        ("Ends on 2031-02-03. 5% off.", "Ends on February 3, 2031. 5% off."),
        ("Ends on 2031-02-31.", "Ends on 2031-02-31."),
        ("Refused: 2031-02-03 is no type: x", "Refused: 2031-02-03 is no type: x"),
        ("", ""),
        (None, ""),
    ],
)
def test_the_date_in_a_stored_sentence_reads_as_the_sentence_does(speak, stored, read):
    speak("de_DE")  # there is no translation
    assert sentences.sentence(stored) == read


def test_every_text_has_a_typographic_apostrophe():
    """Of pages, mails, and the sandbox's own pages, which are English only."""
    texts = [text for message, _ in messages() for text in _forms(message)]
    for page in ROOT.glob("sandbox/**/*.html"):
        texts += re.findall(
            r">[^<]+|\"[^\"]*\"", re.sub(r"{#.*?#}", "", page.read_text(), flags=re.S)
        )

    assert len(texts) > 1000
    assert [text for text in texts if re.search(r"\w'\w|s' ", text)] == []


def _forms(message):
    return message if isinstance(message, tuple) else (message,)
