"""An answer with rows that can't be read: the others are read, and the text of these is kept."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from plaidapp.bank import payloads, responses, unread

GOOD = b'{"transaction_id":"t1","account_id":"a","amount":5.10,"date":"2026-11-01","pending":false}'
BAD = b'{"transaction_id":"t2", "account_id":"a","amount":1e-9,"date":"2026-11-01","pending":false}'
SECOND = BAD.replace(b"1e-9", b"1")
REST = b'"modified":[],"next_cursor":"c","has_more":false,"request_id":"r"'


def page(*added, removed=b"", accounts=b""):
    rows = b" ,\n".join(added)
    lists = b' { "added": [ %b ],"removed":[%b],"accounts":[%b],"unread":[["x"]],' % (
        *(rows, removed, accounts),
    )
    return responses.decode_page(lists + REST + b"}")


@pytest.mark.parametrize(
    ("bad", "plaid_id", "reason"),
    [
        (BAD, "t2", "An amount has more than eight decimals: 1E-9"),
        (BAD.replace(b"1e-9", b"1e11"), "t2", "An amount is too large: 1E+11"),
        (
            SECOND.replace(b"2026-11-01", b"2026-02-30"),
            "t2",
            "A value is missing or has the wrong form: Invalid RFC3339 encoded date - at `$.date`",
        ),
        (
            BAD.replace(b"1e-9", b"true"),
            "t2",
            "A value is missing or has the wrong form: Expected `decimal`, got `bool`"
            " - at `$.amount`",
        ),
        (
            BAD.replace(b'"amount":1e-9,', b""),
            "t2",
            "A value is missing or has the wrong form: Object missing required field `amount`",
        ),
        (SECOND.replace(b'"a"', rb'"\ud800"'), "t2", "A text has characters that can't be stored."),
        (SECOND.replace(b'"a"', rb'"\u0000"'), "t2", "A text has characters that can't be stored."),
        (SECOND.replace(b'"a"', b'"\xff"'), "t2", "A text has characters that can't be stored."),
        (BAD.replace(b"1e-9", b"NaN"), "t2", "A text has characters that can't be stored."),
        (SECOND.replace(b'"t2"', b"7"), None, None),
        (SECOND.replace(b'"t2"', rb'"\u0000"'), None, None),
        (b"null", None, "This is not an entry with named values."),
        (b"[[[]]]", None, "This is not an entry with named values."),
    ],
)
def test_a_row_that_can_t_be_read_does_not_block_the_others(bad, plaid_id, reason):
    answer = page(GOOD, bad, GOOD.replace(b"t1", b"t3"))
    assert [row.transaction_id for row in answer.added] == ["t1", "t3"]
    (row,) = answer.unread
    assert (row.kind, row.plaid_id, row.raw) == (unread.TRANSACTION, plaid_id, bad)
    if reason:
        assert row.reason == reason


GARBAGE = some.none() | some.booleans() | some.integers() | some.text() | some.binary()


@settings(max_examples=40, deadline=None)
@given(some.dictionaries(some.sampled_from(list(msgspec.json.decode(GOOD))), GARBAGE))
def test_whatever_a_row_has_the_next_one_is_read(changes):
    bad = msgspec.json.encode(msgspec.json.decode(GOOD) | changes)
    answer = page(bad, SECOND)
    assert answer.added[-1].transaction_id == "t2"
    assert len(answer.added) + len(answer.unread) == 2


def test_an_escaped_backslash_is_not_a_nul():
    row = GOOD.replace(b'"pending"', rb'"name":"C:\\u0000","pending"')
    answer = page(row)
    assert (answer.added[0].name, answer.unread) == (r"C:\u0000", [])


def test_digits_of_the_other_rows_stay():
    answer = page(GOOD.replace(b"5.10", b"12345678901.12345678"), BAD)
    assert answer.added[0].amount == Decimal("12345678901.12345678")


def test_a_removed_row_that_can_t_be_read_does_not_block_the_others():
    answer = page(removed=b'{"transaction_id":"t1"},{"transaction_id":null}')
    assert [row.transaction_id for row in answer.removed] == ["t1"]
    assert [(row.kind, row.raw) for row in answer.unread] == [
        (unread.REMOVED, b'{"transaction_id":null}')
    ]


ACCOUNT = b'{"account_id":"a","name":"Coins","type":"investment","mask":"1","balances":%b}'


def account_of(sent):
    answer = page(accounts=sent + b"," + ACCOUNT.replace(b'"a"', b'"b"') % b'{"current":7}')
    assert answer.accounts[-1].balances.current == 7
    return [each for each in answer.accounts if each.account_id == "a"], answer.unread


@pytest.mark.parametrize("bad", [b"250000000000", b"0.123456789", b'"?"', b"[]"])
def test_a_balance_that_can_t_be_kept_is_unknown(bad):
    balances = b'{"current":%b,"available":5,"unofficial_currency_code":"SHIB"}' % bad
    (account,), (row,) = account_of(ACCOUNT % balances)
    assert account.balances == payloads.Balances(
        Decimal(5), None, None, unofficial_currency_code="SHIB"
    )
    assert (row.kind, row.plaid_id, row.raw) == (unread.ACCOUNT, "a", ACCOUNT % balances)
    assert row.reason.startswith("A part is unknown: current: A")


@pytest.mark.parametrize("bad", [b"null", b"7", b'{"current":5,"iso_currency_code":7}'])
def test_without_their_currency_or_form_all_balances_are_unknown(bad):
    (account,), (row,) = account_of(ACCOUNT % bad)
    assert account.balances == payloads.Balances()
    assert row.plaid_id == "a"


def test_an_optional_part_of_an_account_may_be_unknown():
    (account,), (row,) = account_of((ACCOUNT % b'{"current":5}').replace(b'"1"', b"1"))
    assert (account.mask, account.balances.current) == (None, 5)
    assert "mask" in row.reason


@pytest.mark.parametrize("gone", [b'"type":"investment",', b'"account_id":"a",'])
def test_an_account_without_id_or_type_is_unread(gone):
    accounts, (row,) = account_of((ACCOUNT % b"{}").replace(gone, b""))
    assert (accounts, row.kind) == ([], unread.ACCOUNT)
    assert row.plaid_id == ("a" if b"type" in gone else None)


def test_a_stream_s_average_is_rounded_and_its_amount_is_not():
    stream = (
        b'{"stream_id":"%b","account_id":"a","description":"d","frequency":"MONTHLY",'
        b'"first_date":"2026-01-01","last_date":"2026-03-01","transaction_ids":[],'
        b'"average_amount":{"amount":33.333333333333336},"last_amount":{"amount":%b},'
        b'"is_active":true,"status":"MATURE"}'
    )
    both = stream % (b"s1", b"5") + b"," + stream % (b"s2", b"1e-9")
    body = b'{"inflow_streams":[],"outflow_streams":[%b],"request_id":"r"}' % both
    answer = responses.decode(body, payloads.Recurring)
    assert [each.average_amount.amount for each in answer.outflow_streams] == [
        Decimal("33.33333333")
    ]
    assert [(row.kind, row.plaid_id) for row in answer.unread] == [(unread.STREAM, "s2")]
