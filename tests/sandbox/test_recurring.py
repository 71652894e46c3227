"""Recurring streams: frequency, status, next date and webhooks."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from sandbox import recurring
from sandbox.ids import Ids

TODAY = date(2026, 3, 15)  # the date of conftest's clock
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


def streams_in(rows, today=TODAY):
    return [stream.to_dict(Ids(0), 1, today) for stream in recurring.detect(rows)]


def months(day, *numbers, year=2026):
    return [date(year, number, day) for number in numbers]


@pytest.mark.parametrize(
    ("days", "frequency", "expected"),
    [
        ((22, 15, 8, 1), "WEEKLY", date(2026, 3, 21)),
        ((22, 16, 8, 1), "WEEKLY", date(2026, 3, 21)),  # one payment is a day late
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
def test_frequency_and_next_date(days, frequency, expected):
    (stream,) = streams_in(payments(*days), today=TODAY - timedelta(days=1))
    assert (stream["frequency"], stream["predicted_next_date"]) == (frequency, expected)
    assert (stream["status"], stream["is_active"]) == ("MATURE", True)


@pytest.mark.parametrize(
    "days",
    [
        (10,),
        (50, 47, 33, 9, 2),
        (90, 80, 70, 60),  # Plaid has no ten-day frequency
        (30, 30, 30),
        (400, 40, 7),
    ],
)
def test_irregular_payments_are_not_a_stream(days):
    assert streams_in(payments(*days)) == []


def test_regular_payments_with_unlike_amounts_are_not_a_stream():
    rows = payments(22, amount="10") + payments(15, amount="95") + payments(8, amount="310")
    rows += payments(1, amount="2")
    assert streams_in(rows) == []


def test_a_seasonal_bill_is_a_stream():
    amounts = ["62.10", "140", "99.99", "164"]
    days = months(8, 12, year=2025) + months(8, 1, 2, 3)
    rows = [payments(d, amount=a)[0] for d, a in zip(days, amounts, strict=True)]
    (stream,) = streams_in(rows)
    assert stream["last_amount"]["amount"] == 164
    assert str(stream["average_amount"]["amount"]) == "116.52"


def test_two_equal_payments_are_early_detection():
    (stream,) = streams_in(payments(*months(5, 2, 3)))
    assert (stream["status"], stream["is_active"]) == ("EARLY_DETECTION", True)
    assert streams_in([*payments(*months(5, 2)), *payments(*months(5, 3), amount="15.50")]) == []


def test_an_early_detection_without_another_payment_is_tombstoned():
    (stream,) = streams_in(payments(*months(5, 11, 12, year=2025)))
    assert (stream["status"], stream["is_active"]) == ("TOMBSTONED", False)
    assert stream["predicted_next_date"] is None


@pytest.mark.parametrize(("late", "active"), [(0, True), (15, True), (16, False)])
def test_a_stream_becomes_inactive_after_the_grace_period(late, active):
    rows = payments(*months(5, 1, 2, 3))
    (stream,) = streams_in(rows, today=date(2026, 4, 5) + timedelta(days=late))
    assert (stream["status"], stream["is_active"]) == ("MATURE", active)
    assert stream["predicted_next_date"] == (date(2026, 4, 5) if active else None)


def test_an_extra_purchase_does_not_end_a_stream():
    rows = payments(*months(5, 11, 12, year=2025), *months(5, 1, 2, 3), TODAY)
    assert [stream["frequency"] for stream in streams_in(rows)] == ["MONTHLY"]


def test_accounts_directions_and_currencies_are_separate_streams():
    days = months(5, 1, 2, 3)
    rows = payments(*days) + payments(*days, amount="-15.49") + payments(*days, account="b")
    rows += payments(*days, iso_currency_code="EUR")
    rows += payments(*days, iso_currency_code=None, unofficial_currency_code="BTC")
    streams = streams_in(sorted(rows, key=lambda row: row.date))
    assert len({stream["stream_id"] for stream in streams}) == len(streams) == 5
    assert all(len(stream["transaction_ids"]) == 3 for stream in streams)


def test_a_merchant_is_one_stream_despite_different_descriptions():
    rows = [
        payments(day, name=f"NETFLIX.COM {day}", merchant_name="Netflix")[0]
        for day in months(5, 1, 2, 3)
    ]
    (stream,) = streams_in(rows)
    assert (stream["merchant_name"], stream["description"]) == ("Netflix", "NETFLIX.COM 2026-03-05")


# --- Through the endpoint


@pytest.fixture
def streams_of(live):
    def call(token, **fields):
        answer = live.call("/transactions/recurring/get", access_token=token, **fields)
        return {
            stream["merchant_name"] or stream["description"]: stream
            for name in ("inflow_streams", "outflow_streams")
            for stream in answer[name]
        }

    return call


def test_user_good_has_subscriptions_bills_and_pay(live, streams_of):
    streams = streams_of(live.link_ready())
    assert {"Netflix", "Spotify", "Comcast", "PG&E", "BAYVIEW APARTMENTS RENT"} <= set(streams)
    assert streams["ACH CREDIT NORTHWIND TRADERS PAYROLL"]["frequency"] == "SEMI_MONTHLY"
    comcast = streams["Comcast"]  # its price rose in February
    assert comcast["last_amount"]["amount"] == Decimal("64.99")
    assert comcast["average_amount"]["amount"] < Decimal("60.99")
    assert (streams["1Password"]["frequency"], streams["1Password"]["predicted_next_date"]) == (
        "ANNUALLY", "2026-12-04"
    )  # fmt: skip
    assert [name for name, stream in streams.items() if not stream["is_active"]] == ["Dropbox"]


def test_streams_match_their_transactions(live, streams_of):
    token = live.link_ready()
    rows = {row["transaction_id"]: row for row in live.sync_all(token)[0]["added"]}
    for stream in streams_of(token).values():
        paid = [rows[plaid_id] for plaid_id in stream["transaction_ids"]]
        assert [row["date"] for row in paid] == sorted(row["date"] for row in paid)
        assert (paid[0]["date"], paid[-1]["date"]) == (stream["first_date"], stream["last_date"])
        assert paid[-1]["amount"] == stream["last_amount"]["amount"]
        assert {row["account_id"] for row in paid} == {stream["account_id"]}
        assert not any(row["pending"] for row in paid)


def test_stream_ids_are_stable(live, streams_of):
    token = live.link_ready()
    first = {name: stream["stream_id"] for name, stream in streams_of(token).items()}
    live.clock.advance(3 * 24 * 60 * 60)
    assert {name: stream["stream_id"] for name, stream in streams_of(token).items()} == first


def test_account_ids_limit_the_streams(live, streams_of):
    token = live.link_ready()
    card = live.call("/accounts/get", access_token=token)["accounts"][3]["account_id"]
    streams = streams_of(token, account_ids=[card])
    assert {stream["account_id"] for stream in streams.values()} == {card}
    assert "Netflix" in streams
    assert "PG&E" not in streams


# --- Webhooks


@pytest.fixture
def announced(monkeypatch):
    """Return the account ids of each RECURRING_TRANSACTIONS_UPDATE sent so far."""
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


def test_the_historical_update_announces_the_first_streams(live, announced, eventually):
    token = live.link(webhook=HOOK)
    live.clock.advance(HISTORICAL_DELAY)
    eventually(announced)
    answer = live.call("/transactions/recurring/get", access_token=token)
    streams = answer["inflow_streams"] + answer["outflow_streams"]
    accounts = {stream["account_id"] for stream in streams}
    assert [set(account_ids) for account_ids in announced()] == [accounts]


def test_a_changed_stream_is_announced_only_for_its_account(live, announced, eventually):
    token = live.link_ready(override_username="user_transactions_dynamic", webhook=HOOK)
    eventually(lambda: not rows_of(live, "moment"))
    account = live.call("/accounts/get", access_token=token)["accounts"][1]["account_id"]

    def post(day, amount):
        row = {"date_transacted": day, "date_posted": day, "amount": amount,
               "description": "Rowing Club", "account_id": account}  # fmt: skip
        live.call("/sandbox/transactions/create", access_token=token, transactions=[row])

    before = len(announced())
    post("2026-03-01", 30)
    assert len(announced()) == before  # one payment is not a stream
    post("2026-03-08", 30)
    post("2026-03-15", 31)
    assert announced()[before:] == [[account], [account]]


def rows_of(live, table):
    with live.app.extensions["sandbox"].store.read() as db:
        return db.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608
