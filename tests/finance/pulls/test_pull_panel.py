"""The panel of a pull: its content, when it polls, and what a poll gets."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from plaidapp.bank import payloads
from plaidapp.extensions import db
from plaidapp.finance.pulls import long_poll
from plaidapp.jobs import run as jobs
from plaidapp.store import Account, Item, Pull, PullItem, Transaction
from plaidapp.store.connections import accounts, items
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls, transitions


@pytest.fixture
def poll_again(alice, panel):
    """Poll as the panel does, and return the answer."""

    def ask(shown):
        return alice.htmx("GET", shown.poll)

    return ask


@pytest.mark.parametrize("state", [pulls.QUEUED, pulls.RUNNING])
def test_an_active_panel_polls(alice, pull, panel, state):
    shown = panel(alice.htmx("GET", f"/finance/pulls/{pull(state)}"))

    assert shown.state == state
    assert {event.split()[0] for event in shown.trigger.split(", ")} == {
        *("load", "every"),
        *(event for event, _age in long_poll.PACES),
    }
    assert shown.poll.startswith("/finance/pulls/1?")


@pytest.mark.parametrize("state", [pulls.DONE, pulls.FAILED])
def test_a_finished_panel_does_not_poll(alice, pull, panel, state):
    shown = panel(alice.htmx("GET", f"/finance/pulls/{pull(state)}"))

    assert shown.state == state
    assert (shown.trigger, shown.poll) == (None, None)
    assert "hx-trigger" not in shown.html
    assert "hx-get" not in shown.html


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        (pulls.ASKING, "contacting the bank"),
        (pulls.READING, "page 2"),
        (pulls.READING, "500"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_running_panel_says_what_happens(app, alice, pull, panel, phase, expected):
    number = pull(pulls.RUNNING, kinds.TRANSACTIONS, phase)
    with app.app_context():
        part = pulls.by_id(number).items[0]
        part.pages, part.rows = 2, 500
        db.session.commit()

    shown = panel(alice.htmx("GET", f"/finance/pulls/{number}"))

    assert "Tartan Bank" in shown.text
    assert expected in shown.text


@pytest.mark.parametrize("state", [pulls.QUEUED, pulls.RUNNING, pulls.DONE, pulls.FAILED])
def test_the_page_and_the_poll_show_the_same_panel(alice, pull, panel, state):
    number = pull(state, error_message="No." if state == pulls.FAILED else None)

    fragment = panel(alice.htmx("GET", f"/finance/pulls/{number}")).html
    fragment = fragment.split("<hx-partial")[0].strip()

    lines = [line.strip() for line in fragment.splitlines() if "csrf_token" not in line]
    for path in ("/finance/", f"/finance/pulls/{number}"):
        page = [line.strip() for line in alice.client.get(path).text.splitlines()]
        page = [line for line in page if "csrf_token" not in line]
        assert "\n".join(lines) in "\n".join(page), path


def test_a_poll_without_a_change_is_an_empty_204(alice, pull, panel, poll_again, monkeypatch):
    monkeypatch.setattr(long_poll, "LONGEST", 0)
    shown = panel(alice.htmx("GET", f"/finance/pulls/{pull(pulls.RUNNING)}"))

    answer = poll_again(shown)

    assert (answer.status_code, answer.data) == (204, b"")


def test_a_poll_after_a_change_gets_the_panel(app, alice, pull, panel, poll_again, monkeypatch):
    shown = panel(alice.htmx("POST", f"/finance/pulls/{pull(pulls.FAILED)}/retry"))
    with app.app_context():
        assert transitions.claim(1)
        db.session.commit()

    changed = panel(poll_again(shown))

    assert changed.state == "running"
    assert changed.partials == 0, "the lists came without new rows"
    monkeypatch.setattr(long_poll, "LONGEST", 0)
    assert poll_again(changed).status_code == 204


def test_a_changed_panel_makes_the_lists_poll(app, alice, small_user, work, panel, poll_again):
    shown = panel(alice.htmx("POST", "/finance/items/sandbox", data=small_user))
    work()

    answer = poll_again(shown)

    assert panel(answer).state == "done"
    assert answer.headers["HX-Trigger"] == "ledger-changed"


def test_a_finished_panel_is_sent_whatever_the_revision(connected, panel):
    for query in ({}, {"revision": "x", "stored": "y"}, {"revision": "-1"}, {"revision": "\0"}):
        assert panel(connected.htmx("GET", "/finance/pulls/1?", query_string=query)).state == "done"


TROUBLES = (
    ({"kind": "reset"}, "Plaid can’t be reached right now."),
    ({"kind": "garbage"}, "Plaid sent a reply we could not read."),
    ({"kind": "missing_field", "field": "accounts"}, "Plaid sent a reply we could not read."),
    (
        {
            "kind": "error",
            "status": 400,
            "error_type": "ITEM_ERROR",
            "error_code": "ITEM_LOGIN_REQUIRED",
        },
        "First Platypus Bank: not updated",  # the banner says why, and what helps
    ),
)


def attempt(app, panel):
    """Run the next attempt of an accounts pull without waiting until it is due."""
    with app.app_context():
        db.session.execute(db.update(Pull).values(run_after=datetime.now(UTC)))
        db.session.commit()
        jobs.run(int(panel.id.removeprefix("pull-")))
        db.session.remove()


@pytest.mark.parametrize(
    ("wait", "shown_wait"),
    [(timedelta(hours=2), "Trying again in 120 min."), (timedelta(0), "Trying again now.")],
)
def test_a_pull_that_failed_for_now_says_when_it_is_tried_again(
    app, alice, pull, panel, wait, shown_wait
):
    number = pull(pulls.QUEUED, kinds.TRANSACTIONS, pulls.FAILED)
    with app.app_context():
        pulls.by_id(number).run_after = datetime.now(UTC) + wait
        db.session.commit()

    shown = panel(alice.htmx("GET", f"/finance/pulls/{number}"))

    assert shown_wait in shown.text


def test_a_failed_pull_has_a_sentence_and_try_again_and_the_rest_works(
    app, connected, work, bank_server, panel
):
    for rule, sentence in TROUBLES:
        bank_server.misbehave(path="/accounts/balance/get", **rule)
        shown = panel(connected.htmx("POST", "/finance/pulls/accounts"))
        for _ in range(3):  # a pull has three attempts
            attempt(app, shown)

        failed = panel(connected.htmx("GET", shown.poll))

        assert failed.state == "failed"
        assert sentence in failed.text
        may_pass = rule["kind"] != "error"
        assert failed.buttons == (["Try again", "Dismiss"] if may_pass else ["Dismiss"])
        assert failed.trigger is None
        dashboard = connected.client.get("/finance/")
        assert dashboard.status_code == 200
        assert "Book &lt;b&gt;shop" in dashboard.text

    bank_server.faults.rulebook.clear()
    again = panel(connected.htmx("POST", f"/finance/pulls/{failed.id.removeprefix('pull-')}/retry"))
    work()
    assert panel(connected.htmx("GET", again.poll)).state == "done"


def test_a_panel_between_attempts_shows_the_error_and_keeps_polling(
    app, connected, bank_server, panel
):
    bank_server.misbehave(kind="reset", path="/accounts/balance/get")
    shown = panel(connected.htmx("POST", "/finance/pulls/accounts"))
    attempt(app, shown)

    waiting = panel(connected.htmx("GET", shown.poll))

    assert waiting.state == "queued"
    assert waiting.trigger
    assert "Plaid can’t be reached right now." in waiting.text
    assert "Try again" in waiting.buttons


def test_no_page_has_a_token_or_secret(app, connected, ask_sandbox):
    with app.app_context():
        sealed = db.session.scalars(db.select(Item)).one().token
    token = app.extensions["cipher"].decrypt(sealed)
    assert token.startswith("access-sandbox-")

    for path in (
        "/finance/",
        "/finance/transactions",
        "/finance/items/1",
        "/finance/pulls/1",
        "/finance/accounts.json",
        "/finance/transactions.json",
    ):
        text = connected.client.get(path).text
        assert token not in text, path
        assert sealed.value.decode() not in text, path


def test_the_total_is_the_sandboxs_own_count(alice, connect, work, panel, ask_sandbox, today):
    connect(alice)

    totals = []
    for start, end in ((1, 1), (30, 0), (400, 200), (730, 0)):
        dates = {
            "start_date": str(today - timedelta(days=start)),
            "end_date": str(today - timedelta(days=end)),
        }
        shown = panel(alice.htmx("POST", "/finance/pulls/total", data=dates))
        work()
        done = panel(alice.htmx("GET", shown.poll))
        asked = ask_sandbox("/transactions/get", **dates, options={"count": 1})
        totals.append(int(asked["total_transactions"]))
        assert done.state == "done"
        assert f"{totals[-1]:,} transaction" in done.text

    assert totals == sorted(set(totals)), "the ranges do not tell a wrong one"
    assert totals[-1] > 1000


def test_get_transaction_data_shows_the_requested_range(connected, work, panel, today):
    dates = {"start_date": str(today - timedelta(days=2)), "end_date": str(today)}
    shown = panel(connected.htmx("POST", "/finance/pulls/transactions", data=dates))
    work()

    done = panel(connected.htmx("GET", shown.poll))

    assert "2 transactions" in done.text
    assert "Book <b>shop</b>" in done.text
    assert "Pay" in done.text
    assert "Cent" not in done.text


def test_get_account_data_updates_the_balances(app, connected, work, panel):
    with app.app_context():
        db.session.execute(db.update(Account).values(current=None))
        db.session.commit()
    shown = panel(connected.htmx("POST", "/finance/pulls/accounts"))
    work()

    done = panel(connected.htmx("GET", shown.poll))

    assert "2 accounts" in done.text
    (_, savings) = connected.client.get("/finance/accounts.json").json["accounts"]
    assert savings["balances"]["current"] == "320.76"


@pytest.mark.parametrize(
    ("path", "reader"),
    [
        ("/finance/", "with_items"),
        ("/finance/live", "with_items"),
        ("/finance/items", "of_user"),
    ],
)
@pytest.mark.both_databases
def test_a_page_shows_all_of_a_concurrent_commit_or_none_of_it(
    app, alice, monkeypatch, path, reader
):
    """A bank is connected after the page has read some data and before it reads the accounts."""
    read, linked = getattr(accounts, reader), []

    def link():
        with app.app_context():
            item = items.add(user_id=alice.id, plaid_item_id="new", access_token=b"sealed")
            expected = [
                payloads.PlaidAccount("new", "depository", payloads.Balances(), "Plaid Gold")
            ]
            accounts.save(alice.id, item.id, expected)
            db.session.commit()
            linked.append(item.id)

    def meanwhile(user_id):
        if not linked:
            with ThreadPoolExecutor(1) as somebody_else:
                somebody_else.submit(link).result()
        return read(user_id)

    monkeypatch.setattr(accounts, reader, meanwhile)
    page = alice.client.get(path)
    assert (page.status_code, len(linked)) == (200, 1)
    assert "Plaid Gold" not in page.text
    assert "Plaid Gold" in alice.client.get(path).text


def test_sync_now_gets_new_transactions(app, connected, work, panel, ask_sandbox, today):
    with app.app_context():
        db.session.execute(db.delete(Transaction))
        db.session.execute(db.update(Item).values(cursor=""))
        db.session.commit()
        assert db.session.query(Account).count() == 2

    shown = panel(connected.htmx("POST", "/finance/items/1/sync"))
    work()

    assert "3 new transactions" in panel(connected.htmx("GET", shown.poll)).text
    assert connected.client.get("/finance/transactions.json").json["total_transactions"] == 3


def test_ask_sandbox_uses_the_token_of_the_only_item(ask_sandbox, connected):
    """Otherwise the comparisons above would compare nothing."""
    answer = ask_sandbox("/accounts/get")

    assert json.dumps(answer["accounts"]).count("account_id") == 2


@pytest.mark.parametrize(
    ("code", "buttons"),
    [("INVALID_CREDENTIALS", ["Dismiss"]), ("INSTITUTION_DOWN", ["Try again", "Dismiss"])],
)
def test_try_again_is_offered_only_if_it_may_help(alice, pull, panel, code, buttons):
    pull(pulls.FAILED, error_code=code)
    assert panel(alice.htmx("GET", "/finance/pulls/1")).buttons == buttons


def test_dismiss_removes_the_panel_in_every_tab(app, alice, pull, ask, panel):
    pull(pulls.FAILED, phase=pulls.FAILED)
    with app.app_context():
        message = "Plaid can’t be reached right now."
        db.session.execute(db.update(PullItem).values(error_message=message))
        db.session.commit()
        version = users.by_id(alice.id).ledger_version
    live = f"/finance/live?revision={version}"
    assert panel(alice.htmx("GET", "/finance/pulls/1")).buttons == ["Try again", "Dismiss"]
    assert alice.htmx("GET", live).status_code == 204

    answer = alice.htmx("POST", "/finance/pulls/1/dismiss")

    assert (answer.status_code, answer.text) == (200, "")
    assert [row.state for row in ask(Pull)] == [pulls.DISMISSED]
    answer = alice.htmx("GET", live)
    assert answer.status_code == 200
    assert "pull-1" not in answer.text
    assert alice.htmx("POST", "/finance/pulls/1/dismiss").text == ""
    assert panel(alice.htmx("GET", "/finance/pulls/1")).buttons == []
    assert "reached right now" in alice.client.get("/finance/items/1").text


def test_dismiss_as_a_plain_form_redirects_to_the_other_panels(alice, pull):
    pull(pulls.FAILED)
    assert 'id="pull-1"' in alice.client.get("/finance/").text
    assert alice.client.post("/finance/pulls/1/dismiss").location == "/finance/#activity"
    assert 'id="pull-1"' not in alice.client.get("/finance/").text


@pytest.mark.parametrize("state", [pulls.QUEUED, pulls.RUNNING, pulls.DONE])
def test_a_pull_that_has_not_failed_can_not_be_dismissed(alice, pull, panel, dump, state):
    pull(state)
    before = dump()

    shown = panel(alice.htmx("POST", "/finance/pulls/1/dismiss"))

    assert (shown.id, shown.state) == ("pull-1", state)
    assert alice.client.post("/finance/pulls/1/dismiss").location == "/finance/#pull-1"
    assert dump() == before
