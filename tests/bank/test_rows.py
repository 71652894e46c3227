"""An answer with rows that can't be read: the others are read, and the text of these is kept."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from plaidapp.bank import payloads, responses, unread
from plaidapp.bank.payloads import Category, PlaidTransaction

GOOD = b'{"transaction_id":"t1","account_id":"a","amount":5.10,"date":"2026-11-01","pending":false}'
BAD = b'{"transaction_id":"t2", "account_id":"a","amount":1e-9,"date":"2026-11-01","pending":false}'
SECOND = BAD.replace(b"1e-9", b"1")
BAD_TEXT = "A text has characters that can’t be stored: account_id"
LIST = r'A value has the wrong form: account_id is ["\xff\0"]'
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
        (BAD, "t2", "An amount has more than eight decimals: amount is 1e-9"),
        (BAD.replace(b"1e-9", b"1e11"), "t2", "An amount is too large: amount is 1e11"),
        (
            SECOND.replace(b"2026-11-01", b"2026-02-30"),
            "t2",
            'A value has the wrong form: date is "2026-02-30"',
        ),
        (BAD.replace(b"1e-9", b"true"), "t2", "A value has the wrong form: amount is true"),
        (BAD.replace(b"1e-9", b"null"), "t2", "A value is missing: amount"),
        (BAD.replace(b'"amount":1e-9,', b""), "t2", "A value is missing: amount"),
        (SECOND.replace(b'"a"', rb'"\ud800"'), "t2", BAD_TEXT),
        (SECOND.replace(b'"a"', rb'"\u0000"'), "t2", BAD_TEXT),
        (SECOND.replace(b'"a"', b'"\xff"'), "t2", BAD_TEXT),
        (SECOND.replace(b'"a"', b'"\0"'), "t2", BAD_TEXT),
        (SECOND.replace(b'"a"', b'"%b"' % (b"a" * 256)), "t2", "A text is too long: account_id"),
        (SECOND.replace(b'"a"', b'["\xff\0"]'), "t2", LIST),
        (BAD.replace(b"1e-9", b"NaN"), "t2", "An amount is not a number: amount is NaN"),
        (BAD.replace(b"1e-9", b'"NaN"'), "t2", 'An amount is not a number: amount is "NaN"'),
        (
            SECOND.replace(b"}", b',"iso_currency_code":7}'),
            "t2",
            "A value has the wrong form: iso_currency_code is 7",
        ),
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
    assert not row.is_part
    if reason:
        assert row.reason == reason


MORE = b'"name":"Caf\xc3\xa9","payment_channel":"online","authorized_date":"2026-10-31"}'


@pytest.mark.parametrize(
    ("name", "bad", "reason"),
    [
        ("name", b"7", "A value has the wrong form: name is 7"),
        ("name", rb'"\ud800"', "A text has characters that can’t be stored: name"),
        ("name", rb'"\u0000"', "A text has characters that can’t be stored: name"),
        ("name", b'"%b"' % (b"x" * 10_001), "A text is too long: name"),
        ("payment_channel", b"{}", "A value has the wrong form: payment_channel is {}"),
        ("authorized_date", b'"soon"', 'A value has the wrong form: authorized_date is "soon"'),
    ],
)
def test_a_row_is_read_without_an_optional_value_that_can_t_be(name, bad, reason):
    values = {"name": "Café", "payment_channel": "online", "authorized_date": date(2026, 10, 31)}
    sent = msgspec.json.encode(values[name])
    text = (SECOND[:-1] + b"," + MORE).replace(sent, bad)
    answer = page(text, GOOD)
    read, _ = answer.added
    for each, value in values.items():
        assert getattr(read, each) == (None if each == name else value)
    assert (read.transaction_id, read.amount) == ("t2", 1)
    assert answer.unread == [unread.Unread(unread.TRANSACTION, "t2", text, reason, is_part=True)]


@pytest.mark.parametrize("category", [b"7", b'{"primary":"TRAVEL","detailed":NaN}'])
def test_a_row_with_an_unreadable_category_has_none(category):
    answer = page(SECOND.replace(b"}", b',"personal_finance_category":%b}' % category))
    assert [row.category for row in answer.added] == [None]
    assert "personal_finance_category" in answer.unread[0].reason


@pytest.mark.parametrize(
    ("category", "primary"),
    [(b'{"primary":"TRAVEL"}', "TRAVEL"), (b'{"primary":null,"detailed":null}', None)],
)
def test_a_category_may_be_known_in_part_or_not_at_all(category, primary):
    answer = page(SECOND.replace(b"}", b',"personal_finance_category":%b}' % category))
    assert answer.added[0].category == Category(primary)
    assert answer.unread == []


def test_each_value_that_can_t_be_read_has_a_reason_of_its_own():
    answer = page(SECOND.replace(b"}", b',"name":7,"merchant_name":"\xff"}'))
    assert answer.unread[0].reason.splitlines() == [
        "A value has the wrong form: name is 7",
        "A text has characters that can’t be stored: merchant_name",
    ]


@pytest.mark.parametrize("bad", [rb'"\ud800"', b'"\xff"', rb'"\u0000"', b"NaN", b'"\0"'])
def test_what_is_wrong_with_a_value_that_is_not_used_makes_no_difference(bad):
    category = b'{"primary":"TRAVEL","detailed":"TRAVEL_FLIGHTS","icon":%b}' % bad
    more = b',"location":{"city":%b},"personal_finance_category":%b}' % (bad, category)
    answer = page(SECOND.replace(b"}", more), BAD.replace(b"t2", b"t3"))
    assert [row.transaction_id for row in answer.added] == ["t2"]
    assert [row.plaid_id for row in answer.unread if not row.is_part] == ["t3"]


GARBAGE = some.none() | some.booleans() | some.integers() | some.text() | some.binary()


@settings(max_examples=40, deadline=None)
@given(
    some.dictionaries(
        some.sampled_from([field.name for field in msgspec.structs.fields(PlaidTransaction)]),
        GARBAGE,
    )
)
def test_whatever_a_row_has_the_next_one_is_read(changes):
    bad = msgspec.json.encode(msgspec.json.decode(GOOD) | changes)
    answer = page(bad, SECOND)
    assert answer.added[-1].transaction_id == "t2"
    assert len(answer.added) + sum(not row.is_part for row in answer.unread) == 2
    assert all(row.reason.encode() for row in answer.unread)


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
    assert row.is_part
    assert row.reason.startswith("A")
    assert row.reason.endswith(f": current is {bad.decode()}")


@pytest.mark.parametrize("bad", [b"null", b"7", b'{"current":5,"iso_currency_code":7}'])
def test_without_their_currency_or_form_all_balances_are_unknown(bad):
    (account,), (row,) = account_of(ACCOUNT % bad)
    assert account.balances == payloads.Balances()
    assert (row.plaid_id, row.is_part) == ("a", True)


def test_an_optional_part_of_an_account_may_be_unknown():
    (account,), (row,) = account_of((ACCOUNT % b'{"current":5}').replace(b'"1"', b"1"))
    assert (account.mask, account.balances.current) == (None, 5)
    assert "mask" in row.reason


@pytest.mark.parametrize("name", [b"null", b"7", b'""'])
@pytest.mark.parametrize(
    ("known", "instead"),
    [
        (b'"official_name":"Digital Coins"', "Digital Coins"),
        (b'"official_name":null,"subtype":"crypto exchange"', "crypto exchange"),
        (b'"official_name":""', "investment"),
    ],
)
def test_an_account_without_a_name_is_called_what_else_is_known(name, known, instead):
    sent = (ACCOUNT % b'{"current":5}').replace(b'"Coins"', b"%b,%b" % (name, known))
    (account,), unread_accounts = account_of(sent)
    assert (account.name, account.balances.current) == (instead, 5)
    assert all(row.is_part for row in unread_accounts)
    assert bool(unread_accounts) == (name != b'""')


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
