"""Which connection a new one looks like, before it is exchanged."""

from datetime import timedelta

import msgspec
import pytest

from plaidapp.bank.link_payloads import LinkedAccount
from plaidapp.extensions import db
from plaidapp.store import Account, LinkResult
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, items, link_duplicates, link_sessions

BANK, NAME = "ins_1", "Platypus"


def looks(mask="0000", name="Checking", type="depository", subtype="checking"):
    return {"mask": mask, "name": name, "type": type, "subtype": subtype}


@pytest.fixture
def result(owner):
    def make(*accounts, bank=BANK, name=NAME, state="found", expires_at=None):
        session = link_sessions.add(owner, link_sessions.CONNECT)
        linked = [LinkedAccount("id", **each) for each in accounts]
        row = LinkResult(
            session_id=session.id,
            token_hash=f"of {session.id}",
            institution_id=bank,
            institution_name=name,
            accounts=msgspec.json.encode(linked).decode(),
            expires_at=expires_at or now() + timedelta(minutes=30),
            state=state,
        )
        db.session.add(row)
        db.session.flush()
        return row

    return make


@pytest.fixture
def item(owner):
    def make(*accounts, bank=BANK, name=NAME, **fields):
        row = items.add(
            user_id=owner,
            plaid_item_id=f"{now()}",
            access_token=b"",
            institution_id=bank,
            institution_name=name,
            **fields,
        )
        for number, each in enumerate(accounts):
            of = {"user_id": owner, "item_id": row.id, "updated_at": now()}
            db.session.add(Account(plaid_account_id=str(number), **of, **each))
        db.session.flush()
        return row.id

    return make


@pytest.mark.parametrize(
    ("known", "new", "is_like"),
    [
        (looks(), looks(), True),
        (looks(), looks(name="Checking, renamed by the bank"), True),
        (looks(), looks(mask="1111"), False),
        (looks(), looks(subtype="savings"), False),
        (looks(), looks(subtype=None), True),
        (looks(mask=None), looks(mask=None), True),
        (looks(mask=None), looks(mask=None, name="Savings"), False),
        (looks(mask=None), looks(), False),
    ],
)
def test_accounts_are_compared(item, result, known, new, is_like):
    item_id = item(known)
    assert link_duplicates.like(1, result(looks(mask="9999"), new)) == (
        item_id if is_like else None
    )


@pytest.mark.parametrize(
    ("bank", "name", "is_like"),
    [
        (BANK, "Renamed", True),
        ("ins_56", "PLATYPUS", True),
        ("ins_56", "Another", False),
        ("ins_56", None, False),
        (None, None, True),
    ],
)
def test_banks_are_compared(item, result, bank, name, is_like):
    item_id = item(looks())
    found = link_duplicates.like(1, result(looks(), bank=bank, name=name))
    assert found == (item_id if is_like else None)


def test_unknown_accounts_may_be_the_same(item, result):
    item_id = item()
    assert link_duplicates.like(1, result(looks())) == item_id
    assert link_duplicates.like(1, result()) == item_id


def test_until_the_bank_lists_them_the_chosen_accounts_are_known(item, result):
    """Two log-ins at one bank, connected one after the other."""
    first = result(looks(mask="1111"))
    first.item_id = item()
    db.session.flush()
    assert link_duplicates.like(1, result(looks(mask="2222"))) is None
    assert link_duplicates.like(1, result(looks(mask="1111"))) == first.item_id


@pytest.mark.parametrize("state", item_states.OVER)
def test_a_connection_that_is_over_is_connected_again(item, result, state):
    item(looks(), state=state)
    assert link_duplicates.like(1, result(looks())) is None


def test_an_error_that_only_a_new_connection_ends_makes_no_duplicate(item, result):
    """Logging in again would be refused."""
    item(looks(), state=item_states.ERROR, error_code="ITEM_NOT_FOUND")
    found = result(looks())
    assert link_duplicates.like(1, found, over={"ITEM_NOT_FOUND"}) is None
    locked = item(looks(), state=item_states.ERROR, error_code="ITEM_LOCKED")
    assert link_duplicates.like(1, found, over={"ITEM_NOT_FOUND"}) == locked


def test_closed_accounts_and_other_people_do_not_count(item, result):
    item(looks() | {"closed_at": now()}, looks(mask="5555"))
    assert link_duplicates.like(1, result(looks())) is None
    item(looks())
    assert link_duplicates.like(2, result(looks())) is None


def test_the_connection_with_most_such_accounts_is_named(item, result):
    one, other = looks(mask="1111"), looks(mask="2222")
    both = item(one, other)
    item(one)
    assert link_duplicates.like(1, result(one, other)) == both


def test_one_that_is_being_exchanged(result):
    mine = result(looks())
    result(looks(mask="2222"), state="approved")
    result(looks(), state="approved", expires_at=now())
    assert link_duplicates.being_exchanged(1, mine) is None
    other = result(looks(), state="approved")
    assert link_duplicates.being_exchanged(1, mine).id == other.session_id
    assert link_duplicates.being_exchanged(2, mine) is None
