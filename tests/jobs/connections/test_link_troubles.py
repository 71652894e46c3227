"""What goes wrong at Plaid or between two workers while a pull follows a session of Link."""

import pytest

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs.connections import connect_results, follow_session, link_looks
from plaidapp.store import Account, Item, LinkResult, LinkSession, Pull
from plaidapp.store.connections import (
    item_states,
    link_results,
    link_sessions,
    state_changes,
)
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, link_pulls, pulls
from tests.fake_link import CHECKING, moment

TOKEN, SECOND = "link-sandbox-1", "link-sandbox-2"
EXCHANGE, LOOK = "/item/public_token/exchange", "/link/token/get"
DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}
GINGHAM = "ins_109509", "First Gingham Credit Union"


def all_of(model):
    db.session.remove()
    found = db.session.scalars(db.select(model).order_by(model.id)).all()
    db.session.remove()
    return found


@pytest.fixture
def calls(bank_server):
    """How often Plaid was asked, by path."""
    return lambda path: bank_server.faults.rulebook.report()["calls"].get(path, 0)


def test_a_look_that_fails_is_repeated_later_and_not_at_once(
    open_link, run, look, fake_link, bank_server, calls
):
    """A webhook has asked for it, and the person is still at Plaid."""
    pull_id = open_link()
    link_looks.request(all_of(LinkSession)[0], pulls.WEBHOOK)
    db.session.commit()
    bank_server.misbehave(path=LOOK, times=5, **DOWN)
    bank_server.server.app = bank_server.app  # the rules are the sandbox's

    run(pull_id)

    assert calls(LOOK) == 1
    assert (look(pull_id).state, look(pull_id).failures) == ("queued", 0)


def test_the_older_form_of_a_result_counts(open_link, run, look, fake_link):
    """Plaid sends it to some apps instead: see LinkSessionResults in its specification."""
    pull_id = open_link()
    result = fake_link.result()
    metadata = {"institution": result["institution"], "accounts": result["accounts"]}
    success = {"public_token": result["public_token"], "metadata": metadata}
    fake_link.add(TOKEN, finished_at=moment(), on_success=success)

    run(pull_id)

    assert look(pull_id).state == "done"
    assert [item.institution_name for item in all_of(Item)] == ["First Platypus Bank"]


def test_both_forms_of_a_result_are_one(open_link, run, look, fake_link):
    pull_id = open_link()
    result = fake_link.result()
    success = {"public_token": result["public_token"], "metadata": None}
    fake_link.add(TOKEN, result, on_success=success)

    run(pull_id)

    assert look(pull_id).state == "done"
    assert [item.institution_name for item in all_of(Item)] == ["First Platypus Bank"]


@pytest.mark.parametrize(
    "missing",
    [
        {"accounts": None},
        {"institution": None},
        {"institution": {"name": None, "institution_id": None}},
        {"accounts": [{"name": None, "mask": None}]},
        {"accounts": [CHECKING | {"class_type": None, "of_the_future": {}}], "of_the_future": 1},
    ],
)
def test_a_result_counts_whatever_plaid_leaves_out(open_link, run, look, fake_link, missing):
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result() | missing, events=[{}], on_exit=None, exit=None)

    run(pull_id)

    assert look(pull_id).state == "done"
    assert len(all_of(Item)) == 1


def test_what_is_null_of_a_session_is_no_error(open_link, run, look, fake_link, come_back):
    pull_id = open_link()
    nothing = dict.fromkeys(("finished_at", "exit", "results", "on_success", "on_exit"))
    fake_link.add(TOKEN, **nothing)
    empty = {"error": {"error_type": None, "error_code": None}, "metadata": None}
    fake_link.add(TOKEN, results={"item_add_results": None}, exit=empty)
    come_back(pull_id)

    run(pull_id)

    assert (look(pull_id).state, look(pull_id).error_code) == ("failed", "LINK_CANCELED")


def test_a_failed_exchange_is_in_the_way_of_no_other(open_link, run, look, fake_link, bank_server):
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result(), fake_link.result(*GINGHAM))
    bank_server.misbehave(path=EXCHANGE, times=1, **DOWN)

    run(pull_id)

    assert [result.state for result in all_of(LinkResult)] == ["approved", "exchanged"]
    assert (look(pull_id).state, look(pull_id).error_code) == ("queued", "DOWN")
    run(pull_id)
    assert look(pull_id).state == "done"
    assert len(all_of(Item)) == 2
    assert all(item.synced_at for item in all_of(Item))


def test_only_plaid_can_say_that_a_public_token_is_lost(
    open_link, run, look, fake_link, bank_server
):
    """The operator can fix the app's keys while the public token is good."""
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result())
    refused = {"status": 400, "error_type": "INVALID_INPUT", "error_code": "INVALID_API_KEYS"}
    bank_server.misbehave(kind="error", path=EXCHANGE, times=1, **refused)

    run(pull_id)

    assert (look(pull_id).state, look(pull_id).error_code) == ("failed", "INVALID_API_KEYS")
    assert all_of(LinkResult)[0].state == "approved"
    link_pulls.revive(pull_id)
    db.session.commit()
    run(pull_id)
    assert look(pull_id).state == "done"


def test_an_exchange_that_never_succeeds_is_called_lost(
    open_link, run, look, later, fake_link, bank_server
):
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result())
    bank_server.misbehave(path=EXCHANGE, **DOWN)
    run(pull_id)
    assert all_of(LinkResult)[0].state == "approved"

    later(minutes=31)
    run(pull_id)

    (result,) = all_of(LinkResult)
    assert (result.state, result.sealed_token) == ("lost", None)
    assert (look(pull_id).state, look(pull_id).error_code) == ("failed", "LINK_RESULT_LOST")


def test_a_plaid_that_refuses_to_repeat_an_exchange_breaks_nothing(
    context, open_link, run, look, fake_link, bank_server
):
    """A worker died between the exchange and its commit."""
    pull_id = open_link()
    result = fake_link.result()
    fake_link.add(TOKEN, result)
    refused = {"status": 400, "error_type": "INVALID_INPUT", "error_code": "INVALID_PUBLIC_TOKEN"}
    bank_server.misbehave(kind="error", path=EXCHANGE, **refused)

    run(pull_id)

    assert (look(pull_id).state, look(pull_id).error_code) == ("failed", "LINK_RESULT_LOST")
    assert look(pull_id).error_message == (
        "This connection could not be finished. Connect the bank again."
    )


@pytest.fixture
def exchanged_elsewhere(context):
    """A worker that counted as dead exchanges the result after all."""

    def finish():
        with context.app_context():
            link_results.change(1, state=link_results.EXCHANGED, sealed_token=None)
            db.session.commit()

    return finish


def test_a_refusal_does_not_undo_the_exchange_of_another_worker(
    open_link, run, fake_link, bank_server, monkeypatch, exchanged_elsewhere
):
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result() | {"public_token": "public-sandbox-of-nobody"})

    def exchange_first(environ, start_response):
        if environ["PATH_INFO"] == EXCHANGE:
            exchanged_elsewhere()
        return fake_link(environ, start_response)

    monkeypatch.setattr(bank_server.server, "app", exchange_first)

    run(pull_id)

    assert all_of(LinkResult)[0].state == "exchanged"


def test_a_late_comparison_does_not_hold_what_another_worker_has_exchanged(
    open_link, run, look, link, fake_link, monkeypatch, exchanged_elsewhere
):
    link()
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))
    lock = users.lock_ledger

    def lock_late(user_id):
        db.session.commit()
        exchanged_elsewhere()
        lock(user_id)

    monkeypatch.setattr(connect_results.users, "lock_ledger", lock_late)

    run(pull_id)

    assert all_of(LinkResult)[0].state == "exchanged"
    assert look(pull_id).state == "done"


def test_a_link_that_can_not_be_looked_at_is_in_the_way_of_no_other(
    open_link, run, look, fake_link
):
    """Its token may be encrypted with a key that the app no longer has."""
    first, second = open_link(), open_link()
    for pull_id, token in ((first, TOKEN), (second, SECOND)):
        fake_link.leave(token)
        link_sessions.note_return(link_sessions.of_pull(pull_id).id)
        db.session.commit()
        run(pull_id)
    fake_link.add(SECOND, fake_link.result())
    broken, good = all_of(LinkSession)
    link_sessions.change(broken.id, sealed_token=b"of a lost key")
    for session in (broken, good):
        link_looks.request(session, pulls.WEBHOOK)
    db.session.commit()
    (unseen,) = [pull for pull in all_of(Pull) if pull.kind == kinds.LOOK]

    run(unseen.id)

    assert look(second).state == "queued", "it starts again"
    run(second)
    assert look(second).state == "done"


def test_a_connection_that_can_not_be_mended_is_connected_again_and_keeps_its_history(
    open_link, run, look, link, fake_link, custom
):
    """Its token can't be read anymore, for example, so that update mode is impossible."""
    given = custom(("12.5", 3))
    old = link(**given)
    error = {"state": item_states.ERROR, "code": "TOKEN_UNREADABLE", "message": "x"}
    state_changes.set_state(old.id, *error.values())
    db.session.commit()
    pull_id = open_link()
    options = {f"override_{name}": value for name, value in given.items()}
    fake_link.add(TOKEN, fake_link.result(**options))

    run(pull_id)

    assert look(pull_id).state == "done"
    assert [item.state for item in all_of(Item)] == ["replaced", "good"]
    assert len(all_of(Account)) == 1


def test_a_link_is_kept_while_something_may_come_of_it(
    open_link, run, look, later, fake_link, bank_server
):
    """A tab finished late, and Plaid does not answer."""
    pull_id = open_link()
    later(minutes=89)
    run(pull_id)
    fake_link.add(TOKEN, fake_link.result())
    fake_link.sessions[TOKEN][0]["finished_at"] = moment(-89 * 60)
    bank_server.misbehave(path=EXCHANGE, **DOWN)
    link_looks.request(all_of(LinkSession)[0], pulls.WEBHOOK)
    db.session.commit()
    later(minutes=3)
    (unseen,) = [pull for pull in all_of(Pull) if pull.kind == kinds.LOOK]
    run(unseen.id)
    for _ in range(policy.MAX_FAILURES_ATTENDED):
        run(pull_id)

    assert look(pull_id).state == "failed"
    assert [result.state for result in all_of(LinkResult)] == ["approved"]
    assert all_of(LinkSession)[0].look_after

    later(minutes=31)
    link_looks.see_to_due()
    db.session.commit()
    run([pull for pull in all_of(Pull) if pull.kind == kinds.LOOK][-1].id)

    (result,) = all_of(LinkResult)
    assert (result.state, result.sealed_token) == ("lost", None)
    assert all_of(LinkSession)[0].sealed_token is None


def test_a_press_while_the_pull_ends_is_not_lost(
    open_link, run, look, link, fake_link, monkeypatch, press_separate
):
    """*Connect it separately* is pressed on a page that is older than the present attempt."""
    link()
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))
    run(pull_id)
    assert look(pull_id).error_code == link_results.ALREADY_CONNECTED
    link_pulls.revive(pull_id)
    db.session.commit()
    verdict, pressed = follow_session._verdict, []

    def then(*args):
        if not pressed:
            pressed.append(True)
            press_separate(pull_id)
        return verdict(*args)

    monkeypatch.setattr(follow_session, "_verdict", then)

    run(pull_id)

    assert look(pull_id).state == "done"
    assert len(all_of(Item)) == 2


def test_no_transaction_is_open_while_plaid_is_asked(
    context, open_link, run, look, link, fake_link, press_separate, monkeypatch
):
    """SQLite has a single writer."""
    link()
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))
    run(pull_id)
    press_separate(pull_id)
    with context.app_context():
        engine = db.engine
    held = {}

    def watched(environ, start_response):
        held[environ["PATH_INFO"]] = engine.pool.checkedout()
        return fake_link(environ, start_response)

    monkeypatch.setattr(fake_link.bank.server, "app", watched)

    run(pull_id)

    assert look(pull_id).state == "done"
    assert EXCHANGE in held
    assert set(held.values()) == {0}
