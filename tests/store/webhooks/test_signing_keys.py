"""Keys that Plaid knows, keys that it does not know, and who may ask for one."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.policy import (
    KEY_ASK_AGAIN,
    KEY_FORGOTTEN,
    KEY_LOOKUPS,
    KEY_SHARE,
    KEY_TRUSTED,
    KEY_WINDOW,
)
from plaidapp.store import WebhookKey
from plaidapp.store.webhooks import signing_keys
from plaidapp.store.webhooks.signing_keys import Sender

pytestmark = pytest.mark.usefixtures("context")

KEY = {"kid": "k", "kty": "EC", "x": "X", "y": "Ÿ", "expired_at": None}
SECOND = timedelta(seconds=1)
NOBODY = Sender("", names_ours=False)


def passes(time):
    """Make every key asked for `time` earlier."""
    for key in db.session.scalars(select(WebhookKey)).all():
        db.session.execute(
            update(WebhookKey)
            .where(WebhookKey.kid == key.kid)
            .values(asked_at=key.asked_at - time)
            .execution_options(synchronize_session=False)
        )
    db.session.commit()
    db.session.expire_all()


def test_a_key_that_was_saved_is_found():
    assert signing_keys.may_ask("k", NOBODY)
    signing_keys.save("k", KEY)
    assert signing_keys.find("k") == KEY


def test_a_key_that_nobody_asked_for_is_not_found():
    assert signing_keys.find("k") is None


def test_a_key_is_not_found_while_plaid_is_asked():
    signing_keys.may_ask("k", NOBODY)
    assert signing_keys.find("k") is None


def test_a_key_that_plaid_does_not_know_stays_unknown_for_a_minute():
    signing_keys.may_ask("k", NOBODY)
    signing_keys.save("k", {})
    assert signing_keys.find("k") == {}
    passes(KEY_ASK_AGAIN - SECOND)
    assert signing_keys.find("k") == {}
    passes(SECOND)
    assert signing_keys.find("k") is None


def test_a_known_key_is_trusted_for_a_day():
    signing_keys.may_ask("k", NOBODY)
    signing_keys.save("k", KEY)
    passes(KEY_TRUSTED - SECOND)
    assert signing_keys.find("k") == KEY
    passes(SECOND)
    assert signing_keys.find("k") is None


@pytest.mark.parametrize("answer", [None, {}], ids=["no answer", "unknown"])
def test_one_request_per_minute_may_ask(answer):
    assert signing_keys.may_ask("k", NOBODY)
    if answer is not None:
        signing_keys.save("k", answer)
    assert not signing_keys.may_ask("k", NOBODY)
    passes(KEY_ASK_AGAIN - SECOND)
    assert not signing_keys.may_ask("k", NOBODY)
    passes(2 * SECOND)
    assert signing_keys.may_ask("k", NOBODY)
    assert not signing_keys.may_ask("k", NOBODY)


def test_a_known_key_is_asked_for_again_after_a_day():
    signing_keys.may_ask("k", NOBODY)
    signing_keys.save("k", KEY)
    passes(KEY_TRUSTED - SECOND)
    assert not signing_keys.may_ask("k", NOBODY)
    passes(2 * SECOND)
    assert signing_keys.may_ask("k", NOBODY)
    assert not signing_keys.may_ask("k", NOBODY)


def asked(*senders):
    """Ask for a new key for each sender in turn; return who may."""
    may = []
    for sender in senders:
        asked.number += 1
        may.append(signing_keys.may_ask(f"k{asked.number}", sender))
    return may


asked.number = 0


def test_each_sender_has_a_share_of_the_lookups():
    one, other = Sender("198.51.100.1", names_ours=False), Sender("198.51.100.2", names_ours=False)
    assert asked(*[one] * (KEY_SHARE + 3)) == [True] * KEY_SHARE + [False] * 3
    assert asked(other)
    passes(KEY_WINDOW)
    assert asked(one) == [True]


def test_strangers_of_unknown_addresses_share_the_lookups_of_all_strangers():
    unknown = Sender("", names_ours=False)
    assert asked(*[unknown] * (KEY_LOOKUPS + 1)) == [True] * KEY_LOOKUPS + [False]


def test_strangers_leave_alone_what_names_something_of_ours():
    strangers = [Sender(f"198.51.100.{number}", names_ours=False) for number in range(100)]
    assert sum(asked(*strangers)) == KEY_LOOKUPS
    ours = [Sender(f"item {number}", names_ours=True) for number in range(KEY_LOOKUPS + 1)]
    assert asked(*ours) == [True] * KEY_LOOKUPS + [False]
    passes(KEY_WINDOW)
    assert asked(strangers[-1], ours[-1]) == [True, True]


def test_one_of_many_requests_at_once_may_ask(app):
    together = threading.Barrier(6)

    def ask(_):
        with app.app_context():
            together.wait()
            may = signing_keys.may_ask("k", NOBODY)
            db.session.commit()
            return may

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(ask, range(6))) == [False] * 5 + [True]
        passes(KEY_ASK_AGAIN + SECOND)
        assert sorted(threads.map(ask, range(6))) == [False] * 5 + [True]


def test_unknown_key_ids_are_deleted_after_a_while():
    for kid, answer in (("known", KEY), ("unknown", {}), ("unanswered", None)):
        signing_keys.may_ask(kid, Sender(kid, names_ours=False))
        if answer is not None:
            signing_keys.save(kid, answer)
    passes(KEY_FORGOTTEN - SECOND)
    signing_keys.delete_unknown()
    assert len(db.session.scalars(select(WebhookKey)).all()) == 3
    passes(2 * SECOND)
    signing_keys.delete_unknown()
    assert db.session.scalars(select(WebhookKey.kid)).all() == ["known"]


def test_nothing_here_commits():
    signing_keys.may_ask("k", NOBODY)
    signing_keys.save("k", KEY)
    db.session.rollback()
    assert signing_keys.find("k") is None
