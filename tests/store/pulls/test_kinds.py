"""The table of the kinds of pull."""

import pytest
from sqlalchemy import func, select

from plaidapp.extensions import db
from plaidapp.jobs.run import BEGIN, WORK
from plaidapp.store import Pull
from plaidapp.store.pulls import kinds, pulls


def test_every_kind_has_its_function():
    assert WORK.keys() | BEGIN.keys() == kinds.KINDS.keys()


def test_an_unknown_kind_is_refused(owner):
    with pytest.raises(ValueError, match="no kind of pull named 'identity'"):
        pulls.add(owner, "identity")
    assert db.session.scalar(select(func.count()).select_from(Pull)) == 0


def test_a_pull_knows_the_facts_of_its_kind():
    assert Pull(kind=kinds.LINK).facts.connects
    assert not Pull(kind=kinds.TRANSACTIONS).facts.connects


def test_only_accounts_reads_balances_without_a_sync():
    assert kinds.names(lambda kind: kind.only_balances) == [kinds.ACCOUNTS]


def test_a_kind_that_takes_requests_syncs():
    assert all(kind.syncs for kind in kinds.KINDS.values() if kind.takes_requests)


def test_names_fit_their_column():
    assert max(map(len, kinds.KINDS)) <= Pull.__table__.c.kind.type.length
