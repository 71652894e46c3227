"""Encrypting secrets again: for their place, with the first key, while others write."""

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from plaidapp import sealing
from plaidapp.bank import link_payloads
from plaidapp.bank.error_sentences import UNREADABLE_TOKEN
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.connections import rotation
from plaidapp.sealing import Cipher, Sealed
from plaidapp.store import Item, LinkResult, LinkSession, Pull, User
from plaidapp.store.base.types import now
from plaidapp.store.connections import items, link_results, link_sessions
from plaidapp.store.connections.link_results import Found
from plaidapp.store.people import authenticators, users
from plaidapp.store.pulls import kinds, parameters, pulls
from tests.conftest import TOKEN_KEY

NEW = Fernet.generate_key().decode()
GIVEN = {"username": "user_good", "password": "pass_good"}


@pytest.fixture
def add(context, owner):
    """Store an Item whose token is encrypted as earlier versions did. Return its id."""

    def store(name):
        token = Fernet(TOKEN_KEY).encrypt(f"access-{name}".encode())
        item = items.add(user_id=owner, plaid_item_id=name, access_token=token)
        db.session.commit()
        return item.id

    return store


@pytest.fixture
def use(context, monkeypatch):
    """Go on as after a start with these TOKEN_KEYS."""
    return lambda *keys: monkeypatch.setitem(context.extensions, "cipher", Cipher(keys))


def token_in(item_id):
    db.session.rollback()
    return db.session.get_one(Item, item_id, populate_existing=True).token


def renewed(batches):
    return sum(batch.renewed for batch in batches)


def test_after_a_rotation_nothing_needs_the_old_key(context, owner, add, use):
    item_id, ended = add("one"), add("ended")
    db.session.execute(update(Item).where(Item.id == ended).values(access_token=b""))
    bank, cipher = context.extensions["bank"], context.extensions["cipher"]
    session = link_sessions.add(owner, link_sessions.CONNECT)
    session.token_hash = "of a link token"
    session.sealed_token, session.sealed_url = (Fernet(TOKEN_KEY).encrypt(b"x") for _ in range(2))
    token_hash = link_payloads.hash_of("public-1")
    found = Found(token_hash, bank.seal(owner, "public-1"), None, None, "[]", now())
    link_results.save(session.id, [found])
    sealed = parameters.seal(cipher, owner, "ins_1", GIVEN)
    pulls.add(owner, kinds.LINK, institution_id="ins_1", sealed=sealed)
    place = sealing.authenticator_secret(owner)
    authenticators.add(owner, cipher.encrypt(place, "of an app"), 0)
    db.session.commit()

    use(NEW, TOKEN_KEY)
    assert renewed(rotation.rotate()) == 6
    assert renewed(rotation.rotate()) == 0

    new = Cipher([NEW])
    db.session.expire_all()
    session = db.session.scalars(select(LinkSession)).one()
    result = db.session.scalars(select(LinkResult)).one()
    assert new.decrypt(token_in(item_id)) == "access-one"
    assert new.decrypt(session.token) == new.decrypt(session.address) == "x"
    assert new.decrypt(result.token_of(owner)) == "public-1"
    assert parameters.unseal(new, db.session.scalars(select(Pull)).one()) == GIVEN
    app = authenticators.of_person(owner)
    assert new.decrypt(Sealed(place, app.sealed_secret)) == "of an app"
    assert token_in(ended).value == b""


def test_an_interrupted_rotation_goes_on_where_it_was(add, use, monkeypatch):
    ids = [add(str(number)) for number in range(5)]
    use(NEW, TOKEN_KEY)
    monkeypatch.setattr(rotation, "BATCH", 2)

    assert next(rotation.rotate()).renewed == 2
    first = token_in(ids[0])
    assert [Cipher([NEW]).has_first_key(token_in(each)) for each in ids] == [True] * 2 + [False] * 3
    assert renewed(rotation.rotate()) == 3
    assert token_in(ids[0]) == first


def test_a_token_that_changes_meanwhile_is_not_overwritten(add, use, monkeypatch):
    """The person connects again, or disconnects, between the read and the write."""
    item_id = add("one")
    use(NEW, TOKEN_KEY)
    encrypt = Cipher.encrypt

    def while_somebody_disconnects(*given):
        db.session.execute(update(Item).values(access_token=b""))
        return encrypt(*given)

    monkeypatch.setattr(Cipher, "encrypt", while_somebody_disconnects)
    list(rotation.rotate())
    assert token_in(item_id).value == b""


def test_what_no_key_decrypts_is_named_and_stays(add, use):
    lost = add("lost")
    stored = token_in(lost)
    use(NEW)
    assert [batch.unreadable for batch in rotation.rotate()] == [[lost]]
    assert token_in(lost) == stored


def test_the_clock_says_how_many_tokens_are_not_bound(add, caplog):
    """An older version encrypted them. Nothing but the command changes them: until then, the older
    version can read them too."""
    add("one")
    clock.tick(0)
    assert any(line.startswith("1 access tokens can be moved") for line in caplog.messages)
    list(rotation.rotate())
    caplog.clear()
    clock.tick(0)
    assert not any("rotate-tokens" in line for line in caplog.messages)


@pytest.mark.parametrize("stolen", ["by another person", "for another Item"])
def test_a_token_that_was_moved_to_another_row_reaches_no_bank(
    owner, link, begin, run, look, stored, bank_server, stolen
):
    """Somebody can write to the database, but has no key."""
    item, rows = link(), stored()
    if stolen == "by another person":
        thief = users.add("eve", "eve@example.com", "no hash")
        db.session.flush()
        changed, victim = {"user_id": thief.id}, Item.id == item.id
    else:
        other = items.add(user_id=owner, plaid_item_id="other", access_token=item.access_token)
        db.session.flush()
        changed, victim = {"sync_requested": 1}, Item.id == other.id
    db.session.execute(update(Item).where(victim).values(changed))
    target = db.session.scalars(select(Item).where(victim)).one()
    asked = bank_server.faults.rulebook.report()["calls"].copy()

    pull_id = begin(kinds.TRANSACTIONS, [target])
    run(pull_id)

    pull = look(pull_id)
    assert (pull.state, pull.items[0].error_code) == ("failed", UNREADABLE_TOKEN)
    assert bank_server.faults.rulebook.report()["calls"] == asked
    assert stored() == rows
    assert db.session.query(User).count() == (2 if stolen == "by another person" else 1)
