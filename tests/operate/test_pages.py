"""What operators see and do, and that nothing of a person's is in it."""

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from rq import SimpleWorker
from sqlalchemy import update

from plaidapp import policy
from plaidapp.extensions import db
from plaidapp.jobs import clock
from plaidapp.jobs.diary import Diary
from plaidapp.metrics import counted, sending
from plaidapp.operate import jobs_page
from plaidapp.store import Duty, Item, Pull, User, Webhook
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states
from plaidapp.store.people import activity
from plaidapp.store.pulls import kinds, pulls
from plaidapp.webhooks import inbox
from tests import full_person
from tests.auth.test_access import routes
from tests.pages import Page

PAGES = (
    *("/ops/", "/ops/pulls", "/ops/webhooks", "/ops/items?state=good", "/ops/jobs", "/ops/plaid"),
    "/ops/doctor",
)
SHOWN = {
    *(("item", "institution_name"), ("item", "error_code"), ("item", "failing_code")),
    *(("pull", "error_code"), ("pull_item", "error_code"), ("pull_item", "request_id")),
    *(("webhook", "type"), ("webhook", "code"), ("duty", "name")),
}
"""What operators may read of a person's rows: banks and codes."""
LOGIN_REQUIRED = """{"webhook_type": "ITEM", "webhook_code": "ERROR",
    "error": {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOGIN_REQUIRED"}}"""


def words_of(app):
    """Yield every text and amount that is stored, but what operators may read."""
    with app.app_context(), db.engine.connect() as connection:
        for table in db.metadata.sorted_tables:
            for row in connection.execute(table.select()).mappings():
                for column, value in row.items():
                    if isinstance(value, str | Decimal) and (table.name, column) not in SHOWN:
                        yield str(value)


def test_no_page_shows_anything_of_a_person(app, alice, operator):
    with app.app_context():
        ids = full_person.fill(alice.id)
        db.session.get_one(Pull, ids["pull"]).state = pulls.FAILED
        db.session.execute(update(User).where(User.id == alice.id).values(username="Alicia Ames"))
        db.session.commit()
    secret = {word for word in words_of(app) if "é" in word or ".00000001" in word}
    secret |= {"Alicia Ames", "alice@example.com"}
    assert len(secret) > 100

    gets = {path for method, path, _ in routes(app) if method == "GET" and "/ops" in path}
    assert gets == {page.partition("?")[0] for page in PAGES}
    for page in PAGES:
        answer = operator.client.get(page)
        assert answer.status_code == 200, page
        assert [word for word in secret if word in answer.text] == [], page
    shown = operator.client.get("/ops/pulls").text + operator.client.get("/ops/webhooks").text
    assert f"Pull {ids['pull']}" in shown
    assert f'id="webhook-{ids["webhook"]}"' in shown


@pytest.fixture
def failed(app, alice):
    """Pulls of alice's that have failed, a second apart. Their ids, the last one first."""
    with app.app_context():
        item = Item(user_id=alice.id, plaid_item_id="i", access_token=b"t", institution_name="Bank")
        db.session.add(item)
        db.session.flush()
        made = [
            pulls.add(
                alice.id,
                kinds.TRANSACTIONS,
                [item],
                state=pulls.FAILED,
                error_code="ITEM_LOCKED",
                run_after=now() - timedelta(seconds=age),
            )
            for age in range(120)
        ]
        db.session.commit()
        return [pull.id for pull in made]


@pytest.mark.both_databases
def test_failed_pulls_come_in_pages_and_each_is_on_one(operator, failed):
    seen, address = [], "/ops/pulls"
    while address:
        text = operator.client.get(address).text
        seen += [int(number) for number in re.findall(r'id="pull-(\d+)"', text)]
        more = re.search(r'href="(/ops/pulls\?before=\d+)"', text)
        address = more and more[1]
    assert seen == failed


def test_a_failed_pull_is_retried(app, operator, failed):
    plain, htmx = failed[:2]

    assert operator.client.post(f"/ops/pulls/{plain}/retry").location == "/ops/pulls"
    answer = operator.htmx("POST", f"/ops/pulls/{htmx}/retry")

    assert f"Pull {htmx} waits for a worker." in answer.text
    assert f"Pull {plain} waits for a worker." in operator.client.get("/ops/pulls").text
    with app.app_context():
        queued = db.session.scalars(db.select(Pull.id).where(Pull.state == pulls.QUEUED)).all()
        assert sorted(queued) == sorted((plain, htmx))
        noted = activity.latest(operator.id, 5)
        assert [(row.kind, row.detail) for row in noted] == [
            *(("pull_retried", str(htmx)), ("pull_retried", str(plain)))
        ]
    assert app.extensions["redis"].keys("rq:job:*")
    again = operator.htmx("POST", f"/ops/pulls/{htmx}/retry")
    assert (again.status_code, "has not failed" in again.text) == (409, True)
    assert operator.client.post("/ops/pulls/4711/retry").status_code == 404


@pytest.fixture
def webhook(app, connected):
    """`webhook(type, code)` stores one about alice's Item, and returns its id."""

    def store(kind, code, body=None, **fields):
        if body is None:
            body = f'{{"webhook_type": "{kind}", "webhook_code": "{code}"}}'
        with app.app_context():
            item = db.session.scalars(db.select(Item)).one()
            row = Webhook(token=f"{now()}", type=kind, code=code, item_id=item.id, body=body)
            for name, value in fields.items():
                setattr(row, name, value)
            db.session.add(row)
            db.session.commit()
            return row.id

    return store


def test_a_webhook_is_replayed_as_often_as_wanted(app, operator, webhook):
    number = webhook("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE")

    for _ in range(2):
        assert operator.client.post(f"/ops/webhooks/{number}/replay").location == "/ops/webhooks"
    assert "in a moment" in operator.htmx("POST", f"/ops/webhooks/{number}/replay").text
    assert "waits to be handled" in operator.client.get("/ops/webhooks").text

    with app.app_context():
        assert (inbox.handle_waiting(), inbox.handle_waiting()) == (1, 0)
        waiting = db.session.scalars(db.select(Pull).where(Pull.state == pulls.QUEUED)).all()
        assert [pull.asked_by for pull in waiting] == [pulls.WEBHOOK], "one pull does for all"
        assert db.session.get_one(Webhook, number).handled_at is not None
        assert {row.kind for row in activity.latest(operator.id, 5)} == {"webhook_replayed"}


def test_a_replay_does_not_bring_back_a_state_that_is_over(app, operator, webhook):
    over = webhook("ITEM", "ERROR", LOGIN_REQUIRED, received_at=now() - timedelta(days=1))
    mute = webhook("TRANSACTIONS", "SYNC_UPDATES_AVAILABLE", "")
    strange = webhook("ASSETS", "PRODUCT_READY")
    broken = webhook("ITEM", "ERROR", "no JSON")
    lasts = webhook("ITEM", "ERROR", LOGIN_REQUIRED, received_at=now() + timedelta(hours=1))

    nothing = "does nothing"
    cases = (over, "newer"), (mute, "deleted"), (strange, nothing), (broken, nothing)
    for number, words in cases:
        address = f"/ops/webhooks/{number}/replay"
        answer = operator.htmx("POST", address)
        assert (answer.status_code, words in answer.text) == (409, True), words
        assert words in operator.client.post(address, follow_redirects=True).text

    with app.app_context():
        assert db.session.scalars(db.select(Item.state)).one() == item_states.GOOD
        assert activity.latest(operator.id, 5) == []
    operator.client.post(f"/ops/webhooks/{lasts}/replay")
    with app.app_context():
        inbox.handle_waiting()
        assert db.session.scalars(db.select(Item.state)).one() == item_states.LOGIN_REQUIRED
        db.session.execute(update(Item).values(state=item_states.DISCONNECTED))
        db.session.commit()
    gone = operator.htmx("POST", f"/ops/webhooks/{lasts}/replay")
    assert (gone.status_code, "has ended" in gone.text) == (409, True)
    assert operator.client.post("/ops/webhooks/4711/replay").status_code == 404


@pytest.mark.both_databases
def test_the_first_page_says_what_is_wrong_and_what_waits(app, operator, alice, failed):
    text = operator.client.get("/ops/").text
    for words in ("No worker is running", "The clock is not running", "120 pulls have failed"):
        assert words in text
    with app.app_context():
        worker = SimpleWorker(["default"], connection=app.extensions["redis"])
        worker.register_birth()
        diary = Diary()
        clock.tick(0, diary)
        diary.save()
        db.session.execute(update(Pull).values(state=pulls.DONE))
        pulls.add(alice.id, kinds.TOTAL, run_after=now() - timedelta(hours=3))
        pulls.add(alice.id, kinds.TOTAL, asked_by=pulls.CLOCK, run_after=now() + timedelta(hours=3))
        pulls.add(alice.id, kinds.TOTAL, asked_by=pulls.WEBHOOK, state=pulls.RUNNING)
        db.session.commit()

    shown = Page(operator.client.get("/ops/").text).find(id="now")[1]

    assert "Everything is running." in shown
    assert f"{worker.pid} on {worker.hostname}" in shown
    for words in ("Clicks 1 0 0 (Today|Yesterday)", "Webhooks 0 1 0 none", "Clock 0 0 1 none"):
        assert re.search(words, shown), shown
    assert operator.htmx("GET", "/ops/?revision=now").text.lstrip().startswith('<div id="now"')
    with app.app_context():
        old = update(Duty).where(Duty.name == "clean_up").values(ran_at=now() - policy.DUTY_LATE)
        db.session.execute(old)
        db.session.commit()
    late = "The clock has not succeeded for half an hour in: clean_up"
    assert late in operator.client.get("/ops/").text
    jobs = operator.client.get("/ops/jobs").text
    assert jobs.count('<span class="bad">late</span>') == 1
    assert "send_mails" in jobs
    assert "ring_due" in jobs
    assert "plaidapp.jobs.run.run" in jobs
    assert jobs_page.DOES.keys() == kinds.KINDS.keys()


def test_connections_are_listed_by_state(operator, failed):
    assert 'class="name">Item' not in operator.client.get("/ops/items").text
    assert "Bank" in operator.client.get("/ops/items?state=good").text
    assert operator.client.get("/ops/items?state=odd").status_code == 404


def test_calls_of_plaid_are_counted_by_endpoint(app, operator, connected):
    sending.pending.take()  # what other tests have counted in this process
    counted.PLAID_REQUESTS.add("/transactions/sync", amount=3)
    counted.PLAID_REQUESTS.add("/accounts/balance/get", amount=1200)
    counted.PLAID_BILLED.add("/accounts/balance/get", "balance", amount=1200)
    counted.PLAID_ERRORS.add("/accounts/balance/get", "INSTITUTION_DOWN", amount=7)
    sending.Sender(app.extensions["redis"], "worker").send()
    odd = sending.pending.SEPARATOR.join((counted.PLAID_REQUESTS.name, "/odd"))
    app.extensions["redis"].hset(sending.SUMS, odd, "inf")

    text = Page(operator.client.get("/ops/plaid").text).find(id="main")[1]
    prices = ("balance", 0.1), ("transactions", 0.3)
    app.config["PLAIDAPP"] = replace(app.config["PLAIDAPP"], plaid_prices=prices)
    priced = Page(operator.client.get("/ops/plaid").text).find(id="main")[1]

    assert "/transactions/sync 3 0 none" in text
    assert "/accounts/balance/get 1,200 1,200 7 INSTITUTION_DOWN" in text
    assert "Set PLAID_PRICES" in text
    assert "/accounts/balance/get 1,200 1,200 120.00 7 INSTITUTION_DOWN" in priced
    assert "not ended: 1 now. At your price, that is 0.30 a month." in priced
