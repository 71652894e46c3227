"""A pull that follows a session of Link: results are stored first, and each becomes one Item."""

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs.connections import link_looks
from plaidapp.store import Item, LinkResult, LinkSession, Pull
from plaidapp.store.connections import link_results
from plaidapp.store.pulls import kinds, link_pulls, pulls
from tests.fake_link import CHECKING, moment

TOKEN = "link-sandbox-1"
EXCHANGE = "/item/public_token/exchange"
DOWN = {"kind": "error", "status": 500, "error_type": "API_ERROR", "error_code": "DOWN"}


def all_of(model):
    db.session.remove()
    found = db.session.scalars(db.select(model).order_by(model.id)).all()
    db.session.remove()
    return found


def test_an_exchange_that_a_dead_worker_made_gives_the_same_item(
    context, owner, open_link, run, look, fake_link, bank_server
):
    result = fake_link.result()
    lost = context.extensions["bank"].exchange(owner, result["public_token"])
    pull_id = open_link()
    fake_link.add(TOKEN, result)

    run(pull_id)

    assert look(pull_id).state == "done"
    assert [item.plaid_item_id for item in all_of(Item)] == [lost.plaid_item_id]


def test_a_result_is_stored_before_it_is_exchanged(open_link, run, look, fake_link, bank_server):
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result())
    bank_server.misbehave(path=EXCHANGE, times=1, **DOWN)

    run(pull_id)

    (result,) = all_of(LinkResult)
    assert (result.state, look(pull_id).state) == ("approved", "queued")
    assert look(pull_id).error_code == "DOWN"
    run(pull_id)
    assert (look(pull_id).state, len(all_of(Item))) == ("done", 1)


def test_a_refused_exchange_ends_one_result_and_not_the_others(
    open_link, run, look, fake_link, bank_server
):
    pull_id = open_link()
    lost = fake_link.result() | {"public_token": "public-sandbox-of-nobody"}
    good = fake_link.result("ins_109509", "First Gingham Credit Union")
    fake_link.add(TOKEN, lost, good)

    run(pull_id)

    pull = look(pull_id)
    assert (pull.state, pull.error_code) == ("failed", "LINK_RESULT_LOST")
    assert [part.phase for part in pull.items] == ["done"]
    assert [result.state for result in all_of(LinkResult)] == ["lost", "exchanged"]


def test_a_look_that_fails_for_a_moment_is_no_failure_while_the_person_is_at_plaid(
    open_link, run, look, fake_link, bank_server, come_back
):
    pull_id = open_link()
    bank_server.misbehave(path="/link/token/get", **DOWN)
    fake_link.bank.server.app = bank_server.app  # the rules are the sandbox's
    for _ in range(policy.MAX_FAILURES_ATTENDED + 1):
        run(pull_id)
    assert (look(pull_id).state, look(pull_id).failures) == ("queued", 0)

    come_back(pull_id)
    run(pull_id)

    assert (look(pull_id).failures, look(pull_id).error_code) == (1, "DOWN")
    assert all_of(LinkSession)[0].sealed_token


def test_two_sessions_at_once_do_not_connect_the_same_bank_twice(
    open_link, run, look, fake_link, bank_server
):
    first, second = open_link(), open_link()
    for token in (TOKEN, "link-sandbox-2"):
        fake_link.add(token, fake_link.result(accounts=[CHECKING]))
    bank_server.misbehave(path=EXCHANGE, times=1, **DOWN)
    run(first)  # has decided to exchange, and has not yet

    run(second)

    assert [result.state for result in all_of(LinkResult)] == ["approved", "found"]
    assert look(second).state == "queued"
    run(first)
    run(second)
    assert [result.state for result in all_of(LinkResult)] == ["exchanged", "held"]
    assert look(second).error_code == link_results.ALREADY_CONNECTED
    assert len(all_of(Item)) == 1


def test_a_session_that_is_finished_without_a_result_goes_on(open_link, run, look, fake_link):
    """Its result may be late."""
    pull_id = open_link()
    fake_link.add(TOKEN, finished_at=moment(), results={"item_add_results": []})
    run(pull_id)
    assert look(pull_id).state == "queued"
    fake_link.add(TOKEN, fake_link.result())
    run(pull_id)
    assert look(pull_id).state == "done"


def test_a_request_to_look_while_the_pull_ends_is_not_lost(
    context, open_link, run, look, fake_link, come_back, monkeypatch
):
    """It comes when the pull has looked and has not ended."""
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result())
    asked = []

    def second_tab(environ, start_response):
        if environ["PATH_INFO"] == "/transactions/sync" and not asked:
            asked.append(True)
            other = fake_link.result("ins_109509", "First Gingham Credit Union")
            fake_link.add(TOKEN, other)
            with context.app_context():
                come_back(pull_id)
        return fake_link(environ, start_response)

    monkeypatch.setattr(fake_link.bank.server, "app", second_tab)

    run(pull_id)

    assert look(pull_id).state == "done"
    assert len(all_of(Item)) == 2


def test_a_link_of_which_plaid_knows_nothing_anymore_is_given_up(
    open_link, run, look, later, fake_link, bank_server
):
    pull_id = open_link()
    bank_server.server.app = bank_server.app  # the sandbox has never made this token
    later(hours=8)
    run(pull_id)
    assert look(pull_id).error_code == "LINK_EXPIRED"
    (session,) = all_of(LinkSession)
    assert session.sealed_token is session.sealed_url is session.look_after is None


def test_tokens_that_are_of_no_more_use_are_destroyed(open_link, run, link, fake_link, later, look):
    link()
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result(accounts=[CHECKING]))
    run(pull_id)
    (held,) = all_of(LinkResult)
    assert (held.state, look(pull_id).state) == ("held", "failed")
    assert held.sealed_token

    later(hours=2)
    link_looks.see_to_due()
    db.session.commit()
    (unseen,) = [pull for pull in all_of(Pull) if pull.kind == kinds.LOOK]
    run(unseen.id)

    assert all_of(LinkResult)[0].sealed_token is None
    assert all_of(LinkSession)[0].sealed_token is None


def test_the_clock_gives_up_a_link_that_can_not_be_looked_at(open_link, later):
    open_link()
    later(hours=8)
    link_looks.see_to_due()
    db.session.commit()
    (session,) = all_of(LinkSession)
    assert session.sealed_token is session.look_after is None


def test_a_look_at_a_link_that_brought_nothing_changes_nothing(open_link, run, look, fake_link):
    pull_id = open_link()
    fake_link.add(TOKEN, fake_link.result())
    run(pull_id)
    link_looks.request(all_of(LinkSession)[0], pulls.WEBHOOK)
    db.session.commit()
    (unseen,) = [pull for pull in all_of(Pull) if pull.kind == kinds.LOOK]
    ended = look(pull_id).ended_at

    run(unseen.id)

    assert look(unseen.id).state == "done"
    assert (look(pull_id).state, look(pull_id).ended_at) == ("done", ended)
    assert link_pulls.waiting(unseen.user_id, kinds.LOOK) is None
