"""What the sandbox finds that recurs: how often, how sure, when next, and who is told."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from sandbox import recurring
from sandbox.ids import Ids

TODAY = date(2026, 3, 15)  # of conftest's clock
HISTORICAL_DELAY = 60


def payments(*days, amount="15.49", name="GYM", account="a", **fields):
    category = {"primary": "PERSONAL_CARE", "detailed": "PERSONAL_CARE_GYMS"}
    return [
        recurring.Payment(
            transaction_id=f"{name}{number}",
            account_id=account,
            date=day if isinstance(day, date) else TODAY - timedelta(days=day),
            amount=Decimal(amount),
            name=name,
            personal_finance_category=category,
            **{"iso_currency_code": "USD"} | fields,
        )
        for number, day in enumerate(days)
    ]


def found(rows, today=TODAY):
    return [stream.to_dict(Ids(0), 1, today) for stream in recurring.detect(rows)]


def months(day, *numbers, year=2026):
    return [date(year, number, day) for number in numbers]


@pytest.mark.parametrize(
    ("days", "frequency", "expected"),
    [
        ((22, 15, 8, 1), "WEEKLY", date(2026, 3, 21)),
        ((22, 16, 8, 1), "WEEKLY", date(2026, 3, 21)),  # a day late for once
        ((43, 29, 15, 1), "BIWEEKLY", date(2026, 3, 28)),
        (months(5, 1, 2, 3), "MONTHLY", date(2026, 4, 5)),
        ([date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28)], "MONTHLY", date(2026, 3, 31)),
        ([date(2025, 11, 30), date(2025, 12, 31), date(2026, 1, 31), date(2026, 2, 28)],
         "MONTHLY", date(2026, 3, 31)),
        ([date(2026, 1, 15), date(2026, 1, 31), date(2026, 2, 15), date(2026, 2, 28),
          date(2026, 3, 15)], "SEMI_MONTHLY", date(2026, 3, 31)),
        ([date(2026, 1, 1), date(2026, 1, 16), date(2026, 2, 1), date(2026, 2, 16),
          date(2026, 3, 1)], "SEMI_MONTHLY", date(2026, 3, 16)),
        ([date(2024, 4, 2), date(2025, 4, 2)], "ANNUALLY", date(2026, 4, 2)),
        ([date(2024, 2, 29), date(2025, 2, 28)], "ANNUALLY", date(2026, 2, 28)),
    ],
)  # fmt: skip
def test_how_often_and_when_next(days, frequency, expected):
    (stream,) = found(payments(*days), today=TODAY - timedelta(days=1))
    assert (stream["frequency"], stream["predicted_next_date"]) == (frequency, expected)
    assert (stream["status"], stream["is_active"]) == ("MATURE", True)


@pytest.mark.parametrize(
    "days",
    [
        (10,),
        (50, 47, 33, 9, 2),
        (90, 80, 70, 60),  # every ten days is no frequency of Plaid's
        (30, 30, 30),
        (400, 40, 7),
    ],
)
def test_what_comes_at_no_rhythm_is_no_stream(days):
    assert found(payments(*days)) == []


def test_what_has_a_rhythm_but_no_like_amounts_is_no_stream():
    rows = payments(22, amount="10") + payments(15, amount="95") + payments(8, amount="310")
    rows += payments(1, amount="2")
    assert found(rows) == []


def test_a_bill_that_changes_with_the_season_is_one():
    amounts = ["62.10", "140", "99.99", "164"]
    days = months(8, 12, year=2025) + months(8, 1, 2, 3)
    rows = [payments(d, amount=a)[0] for d, a in zip(days, amounts, strict=True)]
    (stream,) = found(rows)
    assert stream["last_amount"]["amount"] == 164
    assert str(stream["average_amount"]["amount"]) == "116.52"


def test_two_payments_are_a_guess_if_they_are_equal():
    (stream,) = found(payments(*months(5, 2, 3)))
    assert (stream["status"], stream["is_active"]) == ("EARLY_DETECTION", True)
    assert found([*payments(*months(5, 2)), *payments(*months(5, 3), amount="15.50")]) == []


def test_a_guess_that_did_not_come_true_is_tombstoned():
    (stream,) = found(payments(*months(5, 11, 12, year=2025)))
    assert (stream["status"], stream["is_active"]) == ("TOMBSTONED", False)
    assert stream["predicted_next_date"] is None


@pytest.mark.parametrize(("late", "active"), [(0, True), (15, True), (16, False)])
def test_one_that_was_cancelled_is_no_longer_active_after_a_while(late, active):
    rows = payments(*months(5, 1, 2, 3))
    (stream,) = found(rows, today=date(2026, 4, 5) + timedelta(days=late))
    assert (stream["status"], stream["is_active"]) == ("MATURE", active)
    assert stream["predicted_next_date"] == (date(2026, 4, 5) if active else None)


def test_one_more_purchase_does_not_end_a_stream():
    rows = payments(*months(5, 11, 12, year=2025), *months(5, 1, 2, 3), TODAY)
    assert [stream["frequency"] for stream in found(rows)] == ["MONTHLY"]


def test_accounts_directions_and_currencies_are_apart():
    days = months(5, 1, 2, 3)
    rows = payments(*days) + payments(*days, amount="-15.49") + payments(*days, account="b")
    rows += payments(*days, iso_currency_code="EUR")
    rows += payments(*days, iso_currency_code=None, unofficial_currency_code="BTC")
    streams = found(sorted(rows, key=lambda row: row.date))
    assert len({stream["stream_id"] for stream in streams}) == len(streams) == 5
    assert all(len(stream["transaction_ids"]) == 3 for stream in streams)


def test_a_merchant_is_one_whatever_the_bank_prints():
    rows = [
        payments(day, name=f"NETFLIX.COM {day}", merchant_name="Netflix")[0]
        for day in months(5, 1, 2, 3)
    ]
    (stream,) = found(rows)
    assert (stream["merchant_name"], stream["description"]) == ("Netflix", "NETFLIX.COM 2026-03-05")


# --- Through the endpoint


@pytest.fixture
def ask(live):
    def call(token, **fields):
        answer = live.call("/transactions/recurring/get", access_token=token, **fields)
        return {
            stream["merchant_name"] or stream["description"]: stream
            for name in ("inflow_streams", "outflow_streams")
            for stream in answer[name]
        }

    return call


def test_the_household_has_subscriptions_bills_and_pay(live, ask):
    streams = ask(live.link_ready())
    assert {"Netflix", "Spotify", "Comcast", "PG&E", "BAYVIEW APARTMENTS RENT"} <= set(streams)
    assert streams["ACH CREDIT NORTHWIND TRADERS PAYROLL"]["frequency"] == "SEMI_MONTHLY"
    comcast = streams["Comcast"]  # since February
    assert comcast["last_amount"]["amount"] == Decimal("64.99")
    assert comcast["average_amount"]["amount"] < Decimal("60.99")
    assert (streams["1Password"]["frequency"], streams["1Password"]["predicted_next_date"]) == (
        "ANNUALLY", "2026-12-04"
    )  # fmt: skip
    assert [name for name, stream in streams.items() if not stream["is_active"]] == ["Dropbox"]


def test_every_transaction_of_a_stream_is_in_the_ledger(live, ask):
    token = live.link_ready()
    rows = {row["transaction_id"]: row for row in live.drain(token)[0]["added"]}
    for stream in ask(token).values():
        paid = [rows[plaid_id] for plaid_id in stream["transaction_ids"]]
        assert [row["date"] for row in paid] == sorted(row["date"] for row in paid)
        assert (paid[0]["date"], paid[-1]["date"]) == (stream["first_date"], stream["last_date"])
        assert paid[-1]["amount"] == stream["last_amount"]["amount"]
        assert {row["account_id"] for row in paid} == {stream["account_id"]}
        assert not any(row["pending"] for row in paid)


def test_the_ids_are_stable(live, ask):
    token = live.link_ready()
    first = {name: stream["stream_id"] for name, stream in ask(token).items()}
    live.clock.advance(3 * 24 * 60 * 60)
    assert {name: stream["stream_id"] for name, stream in ask(token).items()} == first


def test_accounts_can_be_chosen(live, ask):
    token = live.link_ready()
    card = live.call("/accounts/get", access_token=token)["accounts"][3]["account_id"]
    streams = ask(token, account_ids=[card])
    assert {stream["account_id"] for stream in streams.values()} == {card}
    assert "Netflix" in streams
    assert "PG&E" not in streams


# --- Webhooks


@pytest.fixture
def told(monkeypatch):
    """The account ids of each RECURRING_TRANSACTIONS_UPDATE, as they are posted."""
    announced = []
    monkeypatch.setattr(
        "sandbox.webhooks.send",
        lambda _outbox, _db, _item, _kind, code, **fields: announced.append((code, fields)),
    )
    return lambda: [
        fields["account_ids"]
        for code, fields in announced
        if code == "RECURRING_TRANSACTIONS_UPDATE"
    ]


HOOK = "http://127.0.0.1:9/hook"


def test_the_first_streams_are_announced_with_the_history(live, told, eventually):
    token = live.link(webhook=HOOK)
    live.clock.advance(HISTORICAL_DELAY)
    eventually(told)
    answer = live.call("/transactions/recurring/get", access_token=token)
    streams = answer["inflow_streams"] + answer["outflow_streams"]
    accounts = {stream["account_id"] for stream in streams}
    assert [set(account_ids) for account_ids in told()] == [accounts]


def test_a_change_of_a_stream_is_announced_for_its_account_alone(live, told, eventually):
    token = live.link_ready(override_username="user_transactions_dynamic", webhook=HOOK)
    eventually(lambda: not rows_of(live, "moment"))
    account = live.call("/accounts/get", access_token=token)["accounts"][1]["account_id"]

    def post(day, amount):
        row = {"date_transacted": day, "date_posted": day, "amount": amount,
               "description": "Rowing Club", "account_id": account}  # fmt: skip
        live.call("/sandbox/transactions/create", access_token=token, transactions=[row])

    before = len(told())
    post("2026-03-01", 30)
    assert len(told()) == before  # one payment is no stream
    post("2026-03-08", 30)
    post("2026-03-15", 31)
    assert told()[before:] == [[account], [account]]


def rows_of(live, table):
    with live.app.extensions["sandbox"].store.read() as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
