"""Every code of Plaid's documentation has a sentence, and says who can do something about it."""

import pytest

from plaidapp.bank import errors
from plaidapp.bank.error_sentences import LIMITED, MEANINGS, Remedy
from plaidapp.bank.payloads import PlaidError
from sandbox import error_catalog


def error_of(code):
    entry = error_catalog.CATALOG[code]
    sent = PlaidError(entry.error_type, code, entry.message, entry.display)
    return errors.from_plaid(sent, entry.status)


@pytest.mark.parametrize("code", {**error_catalog.ITEM, **error_catalog.INSTITUTION})
def test_each_item_and_institution_error_has_a_sentence_of_its_own(code):
    assert error_of(code).message == MEANINGS[code].sentence
    sentences = [meaning.sentence for meaning in MEANINGS.values()]
    assert sentences.count(MEANINGS[code].sentence) == 1


@pytest.mark.parametrize("code", error_catalog.CATALOG)
def test_each_documented_error_says_who_can_do_something(code):
    error = error_of(code)
    meaning = MEANINGS.get(code, LIMITED)
    assert error.message == meaning.sentence
    assert error.retryable == (meaning.remedy is Remedy.WAIT)
    assert code not in error.message
    assert ("operator" in error.message) == (meaning.remedy is Remedy.OPERATOR)


def test_the_errors_of_a_connection_are_in_the_table_and_final():
    for code in errors.OF_CONNECTION:
        assert not MEANINGS[code].retryable
    for code in errors.GONE:
        assert MEANINGS[code].remedy is Remedy.CONNECT
