"""Second factors in the database: what counts once, and what goes with the person."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.store import Authenticator, Passkey, RecoveryCode, SpentToken, User
from plaidapp.store.base.types import now
from plaidapp.store.people import (
    authenticators,
    factors,
    passkeys,
    recovery_codes,
    spent_tokens,
)
from plaidapp.store.people.factors import Factors

KEY = {"public_key": b"key", "host": "localhost", "name": "Key", "can_be_copied": False}


@pytest.fixture
def passkey(owner):
    def add(sign_count):
        assert passkeys.add(owner, credential_id=b"id", sign_count=sign_count, **KEY)
        return passkeys.of_person(owner)[0]

    return add


def test_a_step_and_those_before_it_count_once(owner):
    assert authenticators.add(owner, b"sealed", 10)
    assert not authenticators.add(owner, b"another", 0), "one for each person"
    steps = {10: False, 9: False, 12: True, 11: False, 13: True}
    for step, counts in [*steps.items(), (13, False)]:
        assert authenticators.use_up(owner, step) is counts, step


@pytest.mark.parametrize(
    ("stored", "counts"),
    [
        (0, [(0, True), (0, True), (5, True), (0, False)]),
        (7, [(7, False), (8, True), (8, False), (3, False)]),
    ],
)
def test_a_passkey_counts_up_or_not_at_all(passkey, stored, counts):
    key = passkey(stored)
    for count, accepted in counts:
        assert passkeys.note_use(key, count) is accepted, count


def test_a_passkey_is_stored_once(owner, passkey):
    passkey(0)
    assert not passkeys.add(owner, credential_id=b"id", sign_count=0, **KEY)
    assert len(passkeys.of_person(owner)) == 1


def test_a_token_is_spent_once_until_it_has_expired(owner):
    soon = now() + timedelta(minutes=1)
    assert spent_tokens.spend(owner, "a", soon)
    assert not spent_tokens.spend(owner, "a", soon)
    assert spent_tokens.spend(owner, "b", now())
    spent_tokens.delete_expired(10)
    assert [spent_tokens.is_spent(token) for token in "ab"] == [True, False]


def test_a_person_takes_everything_along(owner, passkey):
    passkey(0)
    authenticators.add(owner, b"sealed", 0)
    codes = recovery_codes.renew(owner)
    spent_tokens.spend(owner, "a", now())
    assert factors.of_person(owner) == Factors(app=True, passkeys=1)
    assert recovery_codes.left(owner) == len(codes) == policy.RECOVERY_CODES

    db.session.execute(delete(User).where(User.id == owner))

    for model in (Authenticator, Passkey, RecoveryCode, SpentToken):
        assert db.session.query(model).count() == 0
    assert not factors.of_person(owner)
