"""How sentences that jobs stored are shown in the visitor's language."""

import pytest

from plaidapp import sentences


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
