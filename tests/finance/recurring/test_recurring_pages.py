"""The page of recurring payments, who sees what on it, and how it is updated."""

import json
from datetime import date
from decimal import Decimal

import pytest
from babel.dates import format_date

from plaidapp.days import since
from plaidapp.extensions import db
from plaidapp.finance.recurring import expected_days, recurring_pages, upcoming
from plaidapp.store import Account, Item, Stream, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.recurring import recurring_streams
from tests.finance.recurring.conftest import soon
from tests.pages import Page

HOSTILE = "<script>alert('x')</script> & \u202egnp"


@pytest.fixture
def look(alice):
    def read(person=alice, **options):
        answer = person.client.get("/finance/recurring", **options)
        assert answer.status_code == 200
        return Page(answer.text)

    return read


def row(stream_id, page):
    return page.find(id=f"stream-{stream_id}")[1]


def test_without_a_connection_the_page_explains_itself(alice, look):
    page = look()
    assert "Subscriptions, bills and income appear here" in page.text
    assert page.has(href="/finance/#connect")


def test_without_streams_the_page_says_what_they_need(app, bank, look):
    page = look()
    assert "No payment has repeated so far. It takes three." in page.text
    assert not page.has(href="/finance/#connect")
    with app.app_context():
        db.session.execute(db.update(Item).values(update_status="NOT_READY"))
        db.session.commit()
    assert "once your history has arrived, usually within minutes. It takes three." in look().text


def test_a_bank_that_reports_no_streams_is_named(app, bank, look, add):
    with app.app_context():
        db.session.execute(db.update(Item).values(streams_refusal="PRODUCTS_NOT_SUPPORTED"))
        db.session.commit()
    assert "Tartan Bank does not provide recurring payments. PRODUCTS_NOT_SUPPORTED" in look().text
    add()
    assert "Tartan Bank does not provide recurring payments. PRODUCTS_NOT_SUPPORTED" in look().text


def test_a_row_has_all_that_is_known_of_its_stream(add, look):
    text = row(add(paid=12), look())
    for part in (
        "Netflix",
        "17.99",
        "Entertainment · Card 3333",
        "every month, next",
        "12 payments",
    ):
        assert part in text
    assert "was" not in text


def test_a_row_links_to_its_payments(add, alice, bank, look):
    stream_id = add("Tom & Jerry's?")
    page = look()
    _, text = page.find(href=f"/finance/recurring/{stream_id}", **{"class": "payments small"})
    assert text == "0 payments for Tom & Jerry's?"
    alone = Page(alice.client.get(f"/finance/recurring/{stream_id}").text)
    assert alone.has(href=f"/finance/transactions?q=Tom+%26+Jerry's?&account={bank[1]}") is False
    assert "None of its payments is stored." in alone.text


def test_a_changed_amount_is_marked_in_words_and_with_an_arrow(add, look):
    dearer = add(previous_amount=Decimal("15.49"), changed_on=soon(-25))
    cheaper = add("Comcast", previous_amount=Decimal("64.99"), changed_on=soon(-25))
    raised = add("Pay", "-2000", previous_amount=Decimal("-1900"), changed_on=soon(-25))
    page = look()
    month = since(soon(-25))
    assert f"was $15.49, $17.99 since {month}" in row(dearer, page)
    assert f"was $64.99, $17.99 since {month}" in row(cheaper, page)
    assert f"was $1,900.00, $2,000.00 since {month}" in row(raised, page)
    pictures = [attributes["href"] for tag, attributes, _ in page.elements if tag == "use"]
    arrows = [picture.partition("#chevron-")[2] for picture in pictures if "#chevron-" in picture]
    vertical = sorted(arrow for arrow in arrows if arrow in ("up", "down"))
    assert vertical == ["down"] * 2 + ["up"] * 4, "in the list and in the panel"


def test_an_old_change_is_not_marked(add, look):
    old = add(previous_amount=Decimal("15.49"), changed_on=soon(-200))
    assert "15.49" not in row(old, look())


def test_a_late_payment_is_marked_and_not_expected_again(add, look):
    late = add(predicted_next_date=soon(-3))
    page = look()
    assert ", not arrived" in row(late, page)
    panel = page.find(id="upcoming")[1]
    assert panel.startswith("Coming up Not arrived yet Netflix Card 3333 $17.99 expected")
    assert panel.count("Netflix") == 1


def test_expected_payments_are_listed_by_day(add, look):
    add("Tomorrow's", predicted_next_date=soon(1))
    add("Today's", predicted_next_date=soon(0))
    add("Far", predicted_next_date=soon(31))
    add("Pay", "-2000", predicted_next_date=soon(30))
    panel = look().find(id="upcoming")[1]
    assert panel.index("Today ") < panel.index("Today's")
    assert panel.index("Today's") < panel.index("Tomorrow Tomorrow's Card 3333 $17.99")
    assert panel.index("Tomorrow's") < panel.index("Pay Card 3333 +$2,000.00")
    assert "Far" not in panel


def test_without_expected_payments_the_panel_says_until_when(add, look):
    add(predicted_next_date=None)
    assert "Nothing is expected through" in look().find(id="upcoming")[1]


def test_a_transfer_is_neither_cost_nor_income(add, look):
    add()
    add("To savings", "300", category_primary="TRANSFER_OUT")
    add("From checking", "-300", category_primary="TRANSFER_IN")
    add("Card", "900", category_detailed="LOAN_PAYMENTS_CREDIT_CARD_PAYMENT")
    page = look()
    assert "$17.99 a month One subscription or bill" in page.text
    assert "Pay and other income" not in page.text
    assert "3 transfers between your accounts" in page.find(id="transfers")[1]
    panel = page.find(id="upcoming")[1]
    assert "To savings" in panel
    assert "From checking" not in panel


def test_ended_streams_are_folded(add, look):
    add("Dropbox", is_active=False, predicted_next_date=None)
    add("Gone", vanished_at=now())
    add("Guess", status="TOMBSTONED")
    page = look()
    attributes, text = page.find(id="over")
    assert text.startswith("Ended (3)")
    assert "open" not in attributes
    assert "a month" not in page.text.replace("every month", "")


def test_the_payments_of_a_closed_account_have_ended(app, add, bank, look):
    stream = add("Gym", "30")
    with app.app_context():
        db.session.execute(db.update(Account).values(closed_at=now()))
        db.session.commit()
    page = look()
    assert "Gym" not in page.find(id="upcoming")[1]
    assert "Ended (1)" in page.find(id="over")[1]
    assert "every month, last on" in row(stream, page)
    assert "a month" not in page.text.replace("every month", "")


def test_a_refund_is_not_a_cost(add, look):
    add(amount="10")
    add("Shoes", "-30", direction="out")
    assert "$10.00 a month" in look().text


def test_currencies_are_not_added_up(add, look):
    add(amount="10")
    add("Abo", "20", iso_currency_code="EUR")
    add("Coin", "0.5", iso_currency_code=None, unofficial_currency_code="BTC")
    page = look()
    assert page.find(**{"class": "figure"})[1] == "€20.00 a month"
    assert page.find(**{"class": "rows currencies"})[1] == "US Dollar $10.00 BTC 0.5 BTC"


def test_the_currency_of_most_accounts_leads(app, alice, add, bank, look):
    add(amount="10")
    add("Abo", "20", iso_currency_code="EUR")
    with app.app_context():
        db.session.get_one(Account, bank[1]).iso_currency_code = "USD"
        db.session.commit()
    page = look()
    assert page.find(**{"class": "figure"})[1] == "$10.00 a month"
    assert page.find(**{"class": "rows currencies"})[1] == "Euro €20.00"
    months = Page(alice.client.get("/finance/recurring/calendar").text)
    sums = [text for _, text in months.find_all(**{"class": "sums-of-month"})]
    assert "Out $10.00 Out €20.00" in sums


def test_a_stream_that_plaid_only_suspects_is_marked(add, look):
    assert "probably recurring" in row(add(status="EARLY_DETECTION"), look())


@pytest.mark.parametrize("field", ["description", "merchant_name", "category_primary"])
def test_hostile_text_is_escaped(add, look, alice, field):
    fields = {field: HOSTILE} if field != "description" else {}
    add(HOSTILE if field == "description" else "Plain", **fields)
    html = alice.client.get("/finance/recurring").text
    assert "<script>alert" not in html.lower()
    assert look().has(id="recurring")


def test_a_long_name_and_an_unknown_frequency(add, look):
    text = row(add("N" * 500, frequency="UNKNOWN"), look())
    assert "irregular, next" in text


def test_another_person_sees_no_streams(add, charlie, look):
    add()
    assert "Netflix" not in look(charlie).text
    assert "Netflix" not in charlie.client.get("/finance/recurring/live").text


def test_the_page_is_translated(add, look):
    add()
    panel = look(headers={"Accept-Language": "de"}).find(id="upcoming")[1]
    assert format_date(soon(5), "EEE, MMM d", "en") in panel  # there is no translation


def test_an_open_page_is_updated_after_a_change(add, alice, look):
    add()
    poll, _ = look().find(id="live")
    assert alice.htmx("GET", poll["hx-get"]).status_code == 204
    add("Spotify")
    answer = alice.htmx("GET", poll["hx-get"])
    assert answer.status_code == 200
    fresh = Page(answer.text)
    assert fresh.has(**{"hx-target": "#recurring", "hx-swap": "outerMorph"})
    assert "Spotify" in fresh.find(id="recurring")[1]
    again, _ = fresh.find(id="live")
    assert alice.htmx("GET", again["hx-get"]).status_code == 204


def test_streams_from_the_bank_are_on_the_page(alice, connect, look):
    connect(alice)
    page = look()
    assert page.has(**{"class": "change small"}), "a price rose within the last three months"
    assert "Ended (" in page.text
    assert "every year, next" in page.text
    assert "twice a month, next" in page.text
    assert "Payroll" in page.find(id="upcoming")[1]


def test_a_webhook_updates_the_page(app, alice, connect, bank_server, work):
    connect(alice, override_username="user_transactions_dynamic", override_password="any")
    with app.app_context():
        item = db.session.scalars(db.select(Item)).one()
        db.session.query(Stream).delete()
        db.session.commit()
        token = app.extensions["cipher"].decrypt(item.token)
    for day in (14, 7, 0):
        move = {"date_transacted": str(soon(-day)), "date_posted": str(soon(-day)), "amount": 9,
                "description": "Rowing Club"}  # fmt: skip
        bank_server.call("/sandbox/transactions/create", access_token=token, transactions=[move])
    tell(app, bank_server, item, "RECURRING_TRANSACTIONS_UPDATE")
    work()
    assert "Rowing Club" in alice.client.get("/finance/recurring").text
    with app.app_context():
        stored = db.session.scalars(db.select(Transaction.name))
        assert "Rowing Club" not in set(stored), "no sync was asked for"


def tell(app, bank_server, item, code):
    event = {"webhook_type": "TRANSACTIONS", "webhook_code": code, "item_id": item.plaid_item_id}
    body = json.dumps(event | {"account_ids": []}, indent=2).encode()
    signature = bank_server.app.extensions["sandbox"].webhook_queue.key.sign(body)
    answer = app.test_client().post(
        "/webhooks/plaid", data=body, headers={"Plaid-Verification": signature}
    )
    assert answer.status_code == 200


# --- The arithmetic


def stream(**fields):
    return Stream(**{"last_date": date(2026, 1, 31), "last_amount": Decimal(10)} | fields)


@pytest.mark.parametrize(
    ("frequency", "last", "first", "days"),
    [
        ("WEEKLY", None, date(2026, 1, 30), ["01-30", "02-06", "02-13", "02-20", "02-27"]),
        ("BIWEEKLY", None, date(2026, 2, 1), ["02-01", "02-15", "03-01"]),
        ("MONTHLY", None, date(2026, 1, 30), ["01-30", "02-28"]),
        ("MONTHLY", None, date(2026, 2, 5), ["02-05"]),
        ("SEMI_MONTHLY", date(2026, 1, 15), date(2026, 1, 31), ["01-31", "02-15", "02-28"]),
        ("SEMI_MONTHLY", date(2026, 1, 31), date(2026, 2, 15), ["02-15", "02-28"]),
        ("ANNUALLY", None, date(2026, 2, 5), ["02-05"]),
        ("UNKNOWN", None, date(2026, 2, 5), ["02-05"]),
        ("MONTHLY", None, date(2026, 1, 29), []),  # is late
        ("MONTHLY", None, date(2026, 3, 2), []),  # is later
        ("MONTHLY", None, None, []),
    ],
)
def test_the_days_on_which_payments_are_expected(frequency, last, first, days):
    one = stream(frequency=frequency, predicted_next_date=first, last_date=last or first)
    found = expected_days.expected(one, date(2026, 1, 30), date(2026, 3, 1))
    assert [f"{day:%m-%d}" for day in found] == days


@pytest.mark.parametrize(
    ("frequency", "last", "first", "days"),
    [
        ("MONTHLY", date(2026, 1, 31), date(2026, 2, 28), ["02-28", "03-31", "04-30", "05-31"]),
        ("MONTHLY", date(2026, 1, 30), date(2026, 2, 28), ["02-28", "03-30", "04-30", "05-30"]),
        ("MONTHLY", date(2026, 1, 28), date(2026, 2, 28), ["02-28", "03-28", "04-28", "05-28"]),
        ("MONTHLY", date(2026, 3, 31), date(2026, 4, 30), ["04-30", "05-31"]),
        ("MONTHLY", date(2026, 3, 30), date(2026, 4, 30), ["04-30", "05-30"]),
        ("SEMI_MONTHLY", date(2026, 2, 15), date(2026, 2, 28),
         ["02-28", "03-15", "03-31", "04-15", "04-30", "05-15", "05-31"]),
        ("SEMI_MONTHLY", date(2026, 2, 28), date(2026, 3, 15),
         ["03-15", "03-31", "04-15", "04-30", "05-15", "05-31"]),
        ("SEMI_MONTHLY", date(2026, 2, 20), date(2026, 3, 5),
         ["03-05", "03-20", "04-05", "04-20", "05-05", "05-20"]),
    ],
)  # fmt: skip
def test_the_last_day_of_a_month_stays_the_last_day(frequency, last, first, days):
    one = stream(frequency=frequency, predicted_next_date=first, last_date=last)
    found = expected_days.expected(one, date(2026, 2, 1), date(2026, 5, 31))
    assert [f"{day:%m-%d}" for day in found] == days


def test_the_monthly_cost_is_a_twelfth_of_the_yearly_cost():
    frequencies = ("WEEKLY", "BIWEEKLY", "SEMI_MONTHLY", "MONTHLY", "ANNUALLY", "UNKNOWN")
    streams = [stream(frequency=one, iso_currency_code="USD") for one in frequencies]
    a_month = Decimal(10) * (52 + 26 + 24 + 12 + 1) / 12
    assert recurring_pages.monthly_cost(streams) == [("USD", a_month)]


def test_monthly_costs_are_exact_and_by_currency():
    streams = [
        stream(
            direction="in" if amount < "0" else "out",
            frequency="MONTHLY",
            last_amount=Decimal(amount),
            iso_currency_code=currency,
        )
        for amount, currency in (("0.1", "USD"), ("0.2", "USD"), ("-5", "EUR"), ("1", None))
    ]
    assert recurring_pages.monthly_cost(streams) == [
        ("EUR", Decimal(5)), (None, Decimal(1)), ("USD", Decimal("0.3"))
    ]  # fmt: skip


@pytest.fixture
def checking(app, bank):
    """Make the account one that bills are paid from, with this much available."""

    def make(available, current="500"):
        with app.app_context():
            account = db.session.get(Account, bank[1])
            account.type, account.iso_currency_code = "depository", "USD"
            account.available = available and Decimal(available)
            account.current = Decimal(current)
            db.session.commit()

    return make


def test_the_dashboard_says_what_is_due_and_whether_the_account_covers_it(
    app, alice, add, checking, set_clock
):
    set_clock("2026-11-20T12:00Z")
    november = {"frequency": "MONTHLY", "last_date": date(2026, 10, 20)}
    add("Water", "48.20", predicted_next_date=date(2026, 11, 24), **november)
    add("Internet", "64.99", predicted_next_date=date(2026, 11, 20), **november)
    add("Pay", "-10", predicted_next_date=date(2026, 11, 24), **november)
    add("Rent", "900", predicted_next_date=date(2026, 12, 20), **november)

    def said():
        page = Page(alice.client.get("/finance/").text)
        return page.find(id="upcoming")[1]

    checking("100")
    assert "$113.19 still due in November" in said()
    assert "Card has $100.00 available: $3.19 short on Tuesday." in said()
    checking("103.19")
    assert "Card has enough available." in said()
    checking(None, current="64.98")  # the bank names nothing that is available
    assert "Card has $64.98 available: $0.01 short on today." not in said()
    assert "Card has $64.98 available: $0.01 short today." in said()


def test_what_is_due_is_compared_account_by_account(alice, add, checking, set_clock, look, bank):
    set_clock("2026-11-20T12:00Z")
    checking("100")
    november = {"frequency": "MONTHLY", "last_date": date(2026, 10, 20)}
    add("Water", "48.20", predicted_next_date=date(2026, 11, 24), **november)
    add("Internet", "64.99", predicted_next_date=date(2026, 11, 20), **november)
    add("Rent", "900", predicted_next_date=date(2026, 12, 20), **november)
    panel = look().find(**{"class": "rows due-by-account small"})[1]
    assert panel == "Card 3333 $113.19 due $100.00 available"
    path = f"/finance/explain/due?currency=USD&account={bank[1]}"
    due = Page(alice.client.get(path).text).find(**{"class": "sum"})[1]
    assert due.index("Internet") < due.index("Water")
    assert "Rent" not in due
    for other in ("x", "999", "-1", "²"):
        path = f"/finance/explain/due?currency=USD&account={other}"
        assert alice.client.get(path).status_code == 404, other


def test_the_dashboards_panel_lists_the_next_days(app, alice, add):
    add()
    with app.app_context():
        panel = upcoming.of_user(alice.id, 4)
        assert (panel.days, panel.late) == ([], [])
        ((day, streams),) = upcoming.of_user(alice.id, 5).days
        assert (day, [one.title for one in streams]) == (soon(5), ["Netflix"])
        assert recurring_streams.of_user(alice.id)[0].account.name == "Card"
