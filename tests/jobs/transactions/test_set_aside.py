"""One bad row never blocks its neighbors: it is set aside, and read again when that may work."""

from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import select, update

from plaidapp.extensions import db
from plaidapp.finance.reports import figures
from plaidapp.jobs.transactions import bank_comparison
from plaidapp.store import Account, Item, SetAside, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import sync_progress
from plaidapp.store.pulls import kinds
from plaidapp.store.transactions import filter_totals, raw_pages, set_aside
from plaidapp.store.transactions.filters import Filter

SYNC = "/transactions/sync"


def raw(digits):
    return msgspec.Raw(digits.encode())


def account(account_id, current=10, **changes):
    balances = {"available": None, "current": current, "limit": None, "iso_currency_code": "USD"}
    balances |= changes.pop("balances", {})
    fields = {"account_id": account_id, "name": account_id, "type": "depository", "mask": None}
    return fields | {"subtype": "checking", "balances": balances} | changes


def row(transaction_id, amount=1, account_id="a", days=1, **changes):
    fields = {
        "transaction_id": transaction_id,
        "account_id": account_id,
        "amount": amount,
        "date": str(now().date() - timedelta(days=days)),
        "name": str(transaction_id).upper(),
        "pending": False,
        "iso_currency_code": "USD",
    }
    return fields | changes


class PreparedBank:
    """A bank that lists `accounts` and sends each change once; a repair gets all of `rows`."""

    def __init__(self):
        self.accounts, self.rows = [account("a")], []
        self.changes = {}

    def sends(self, added=(), modified=(), removed=()):
        removed = [{"transaction_id": each} if isinstance(each, str) else each for each in removed]
        self.changes = {"added": list(added), "modified": list(modified), "removed": removed}

    def page(self, page):
        nothing = {"added": [], "modified": [], "removed": []}
        page |= {"accounts": self.accounts} | nothing | self.changes
        self.changes = {}
        return page

    def all_rows(self, page):
        return page | {"transactions": self.rows, "total_transactions": len(self.rows)}


@pytest.fixture
def bank(rewrite):
    bank = PreparedBank()
    for path in ("/accounts/get", "/accounts/balance/get"):
        rewrite(path, lambda page: page | {"accounts": bank.accounts})
    rewrite(SYNC, bank.page)
    rewrite("/transactions/get", bank.all_rows)
    return bank


@pytest.fixture
def sync(begin, run, look):
    def go(item, kind=kinds.TRANSACTIONS):
        sync_progress.request_sync(item.id)
        pull_id = begin(kind, items=[item])
        run(pull_id)
        pull = look(pull_id)
        assert pull.state == "done", pull.items[0].error_message
        return pull

    return go


@pytest.fixture
def verify(context):
    """Return the exit code of `flask verify`, and what it prints."""

    def go(*options):
        db.session.remove()
        result = context.test_cli_runner().invoke(args=["verify", *options])
        return result.exit_code, result.output

    return go


def stored():
    db.session.remove()
    query = select(Transaction).where(Transaction.removed_at.is_(None))
    return {each.plaid_transaction_id: each for each in db.session.scalars(query)}


def aside():
    db.session.remove()
    return {each.key: each.reason for each in db.session.scalars(select(SetAside))}


def assert_consistent(item):
    assert [str(found) for found in bank_comparison.drifted(db.session.get(Item, item.id))] == []


GHOST = "The bank has not listed this account yet: ghost"


def test_a_row_of_an_account_that_is_not_listed_waits_for_it(bank, link, sync, stored_json):
    bank.sends([row("good"), row("of-ghost", 2, "ghost")])
    item = link()
    assert stored().keys() == {"good"}
    assert aside() == {"of-ghost": GHOST}
    sync(item)
    assert aside() == {"of-ghost": GHOST}

    bank.accounts.append(account("ghost"))
    pull = sync(item)
    assert (stored().keys(), aside()) == ({"good", "of-ghost"}, {})
    assert pull.items[0].added == 1
    assert '"name": "OF-GHOST"' in stored_json("of-ghost")
    assert_consistent(item)


@pytest.fixture
def stored_json(context):
    return lambda plaid_id: raw_pages.json_of(stored()[plaid_id])


def test_new_accounts_start_a_sync_that_stores_the_rows_that_wait(bank, link, begin, run, look):
    bank.sends([row("of-ghost", account_id="ghost")])
    item = link()
    bank.accounts.append(account("ghost"))
    pull_id = begin(kinds.ACCOUNTS, items=[item])
    run(pull_id)
    run(pull_id + 1)
    assert look(pull_id + 1).kind == kinds.TRANSACTIONS
    assert (stored().keys(), aside()) == ({"of-ghost"}, {})


BAD = {
    "too-large": {"amount": raw("92000000000.00000001")},
    "tiny": {"amount": raw("1e-09"), "unofficial_currency_code": "ETH"},
    "wrong-type": {"pending": "no"},
    "bad-date": {"date": "2026-02-30"},
}
PARTLY_BAD = {
    "nul": {"name": "Coffee\0"},
    "surrogate": {"name": raw('"Coffee\\ud800"')},
    "long-id": {"pending_transaction_id": "p" * 3000},
    "category": {"personal_finance_category": {"primary": "TRAVEL", "detailed": 7}},
}


def test_rows_that_can_t_be_stored_do_not_block_the_others(bank, link, stored_json):
    bad = [row(name, **changes) for name, changes in BAD.items()]
    missing = row("missing")
    del missing["date"]
    bank.sends([row("first"), *bad, missing, row("last")])
    link()
    assert stored().keys() == {"first", "last"}
    assert aside().keys() == {*BAD, "missing"}
    assert aside()["tiny"] == "An amount has more than eight decimals: amount is 1e-09"
    assert '"name": "LAST"' in stored_json("last")


def test_a_row_is_stored_without_the_optional_values_that_can_t_be_read(
    bank, link, sync, stored_json, verify
):
    bank.rows = [row(name, 5, **changes) for name, changes in PARTLY_BAD.items()]
    bank.sends(bank.rows)
    item = link()
    rows = stored()
    assert rows.keys() == aside().keys() == PARTLY_BAD.keys()
    assert {each.amount for each in rows.values()} == {5}
    assert (rows["nul"].name, rows["category"].name) == ("", "CATEGORY")
    assert aside()["nul"] == "A text has characters that can’t be stored: name"
    assert all("Coffee" in stored_json(name) for name in ("nul", "surrogate"))
    assert_consistent(item)
    code, said = verify()
    assert (code, said.endswith("exact, 4 set aside\n")) == (0, True)
    assert "a part of transaction nul is set aside: A text has characters" in said

    bank.rows[0] = row("nul", 7)
    code, said = verify()
    assert (code, "transaction nul: set aside, but can be read" in said) == (1, True)
    bank.sends(modified=bank.rows[:1])
    sync(item)
    assert aside().keys() == PARTLY_BAD.keys() - {"nul"}
    assert (stored()["nul"].name, stored()["nul"].amount) == ("NUL", 7)


def test_a_row_of_which_a_part_is_unreadable_waits_for_its_account_too(bank, link, sync):
    bank.sends([row("of-ghost", account_id="ghost", name=raw('"\\ud800"'))])
    item = link()
    assert (stored(), aside()) == ({}, {"of-ghost": GHOST})
    bank.accounts.append(account("ghost"))
    sync(item)
    assert stored().keys() == {"of-ghost"}
    assert aside() == {"of-ghost": "A text has characters that can’t be stored: name"}


def test_amounts_are_stored_without_the_noise_of_floats(bank, link, verify):
    bank.rows = [row("t", raw("19.989999999999998"))]
    bank.sends(bank.rows)
    item = link()
    assert stored()["t"].amount == Decimal("19.99")
    assert verify(str(item.id)) == (0, f"Item {item.id} (First Platypus Bank): exact\n")


def improve(plaid_id, **changes):
    """Make a row readable, as a newer version of the reader would."""
    text = msgspec.json.encode(row(plaid_id, **changes))
    db.session.execute(update(SetAside).where(SetAside.key == plaid_id).values(raw=text, reader=0))
    db.session.commit()


def test_a_better_reader_reads_what_was_set_aside(bank, link, sync):
    bank.sends([row("tiny", raw("1e-9")), row("nul", raw("1e11"), name="\0")], removed=[{}])
    item = link()
    assert len(aside()) == 3
    improve("tiny", amount=raw("0.5"))
    db.session.execute(update(SetAside).where(SetAside.key == "nul").values(reader=0))
    db.session.commit()
    sync(item)
    assert stored()["tiny"].amount == Decimal("0.5")
    assert "nul" in aside()
    assert_consistent(item)


def test_a_text_that_is_too_long_is_cut_and_not_read_again(bank, link, sync, monkeypatch):
    monkeypatch.setattr(set_aside, "LONGEST_TEXT", 20)
    bank.sends([row("tiny", raw("1e-9"))])
    item = link()
    db.session.execute(update(SetAside).values(reader=0))
    db.session.commit()
    sync(item)
    (entry,) = db.session.scalars(select(SetAside))
    assert (len(entry.raw), entry.is_cut) == (20, True)


@pytest.mark.parametrize("how", ["added", "modified", "removed"])
def test_what_the_bank_sends_again_is_no_longer_set_aside(bank, link, sync, how):
    bank.sends([row("t", raw("1e-9"))])
    item = link()
    bank.sends(**{how: ["t" if how == "removed" else row("t", 5)]})
    sync(item)
    assert aside() == {}
    assert stored().keys() == (set() if how == "removed" else {"t"})


def test_a_row_that_is_removed_on_its_own_page_is_not_set_aside(bank, link):
    bank.sends([row("t", None), row("u", account_id="ghost"), row("v")], removed=["t", "u"])
    link()
    assert aside() == {}
    assert stored().keys() == {"v"}


def test_a_stored_row_stays_while_its_newest_form_is_set_aside(bank, link, sync, verify):
    bank.rows = [row("t", 5), row("u", 6)]
    bank.sends(bank.rows)
    item = link()
    bank.rows[0] = row("t", raw("1e-9"))
    bank.sends(modified=bank.rows[:1])
    sync(item)
    assert (stored().keys(), aside().keys()) == ({"t", "u"}, {"t"})

    for _ in range(2):
        bank.sends(bank.rows)
        sync(item, kinds.REPAIR)
        assert (stored()["t"].amount, stored().keys()) == (5, {"t", "u"})
        assert aside().keys() == {"t"}
    code, said = verify(str(item.id), "--repair")
    assert code == 0
    reason = "An amount has more than eight decimals: amount is 1e-9"
    assert f"transaction t is set aside: {reason}\n" in said
    assert said.endswith("exact, 1 set aside\n")


def test_a_row_without_a_readable_id_removes_no_other_in_a_repair(bank, link, sync):
    bank.sends([row("t"), row("u")])
    item = link()
    bank.sends([row("t"), row(7)])
    sync(item, kinds.REPAIR)
    assert stored().keys() == {"t", "u"}
    bank.sends([row("t")])
    sync(item, kinds.REPAIR)
    assert (stored().keys(), aside()) == ({"t"}, {})


def test_verify_lists_rows_of_accounts_that_are_not_listed(bank, link, verify):
    bank.rows = [row("good"), row("of-ghost", account_id="ghost")]
    bank.sends(bank.rows)
    item = link()
    assert verify() == (
        0,
        f"Item {item.id} (First Platypus Bank): transaction of-ghost is set aside: {GHOST}\n"
        f"Item {item.id} (First Platypus Bank): exact, 1 set aside\n",
    )


def test_verify_finds_a_bad_row_that_is_not_set_aside(bank, link, verify):
    bank.sends([row("good")])
    item = link()
    bank.rows = [row("good"), row("tiny", raw("1e-9"))]
    code, said = verify()
    assert (code, "transaction tiny: not stored" in said) == (1, True)
    bank.sends(bank.rows)
    code, said = verify(str(item.id), "--repair")
    assert (code, said.endswith("exact, 1 set aside\n")) == (0, True)
    bank.rows[1] = row("tiny", 5)
    code, said = verify()
    assert (code, "transaction tiny: set aside, but can be read" in said) == (1, True)


def test_edits_follow_from_a_pending_row_to_a_posted_one_that_was_set_aside(bank, link, sync):
    bank.sends([row("pending", 5, pending=True)])
    item = link()
    db.session.execute(update(Transaction).values(note="mine", edited_at=now()))
    db.session.commit()
    bank.sends([row("posted", raw("1e-9"), pending_transaction_id="pending")], removed=["pending"])
    sync(item)
    assert stored() == {}
    improve("posted", amount=5, pending_transaction_id="pending")
    sync(item)
    assert stored()["posted"].note == "mine"
    assert_consistent(item)


# --- Accounts


def balances_of(item):
    db.session.remove()
    query = select(Account).where(Account.item_id == item.id).order_by(Account.id)
    return {each.plaid_account_id: each.current for each in db.session.scalars(query)}


def closed():
    db.session.remove()
    query = select(Account.closed_at).order_by(Account.id)
    return [moment is not None for moment in db.session.scalars(query)]


def test_a_balance_out_of_range_is_unknown_and_does_not_block_the_bank(bank, link, sync, verify):
    coin = {"iso_currency_code": None, "unofficial_currency_code": "SHIB"}
    bank.accounts = [account("a"), account("coin", 250_000_000_000, balances=coin)]
    bank.rows = [row("t"), row("of-coin", 3, "coin")]
    bank.sends(bank.rows)
    item = link()
    assert balances_of(item) == {"a": 10, "coin": None}
    assert aside() == {"coin": "An amount is too large: current is 250000000000"}
    assert stored().keys() == {"t", "of-coin"}
    assert verify()[0] == 0

    bank.accounts[1] = account("coin", 25, balances=coin)
    sync(item)
    assert (balances_of(item), aside()) == ({"a": 10, "coin": 25}, {})


def test_an_account_that_can_t_be_read_is_not_closed(bank, link, begin, run, verify):
    bank.accounts = [account("a"), account("b")]
    item = link()
    bank.accounts = [account("a", 11), account("b", name=7)]
    run(begin(kinds.ACCOUNTS, items=[item]))
    assert balances_of(item) == {"a": 11, "b": 10}
    assert closed() == [False, False]
    assert aside().keys() == {"b"}
    code, said = verify()
    assert (code, "account b is set aside" in said) == (0, True)

    bank.accounts = [account("a", 12)]
    run(begin(kinds.ACCOUNTS, items=[item]))
    assert aside() == {}
    assert closed() == [False, True]


# --- Sums


def test_sums_beyond_64_bits_are_shown_exactly(bank, link, owner):
    most = 60_000_000_000
    bank.accounts = [account("a", most), account("b", most)]
    bank.sends([row("s1", most, "a", days=0), row("s2", most, "b", days=0)])
    item = link()
    (worth,) = figures.of_user(owner, "1M", now().date()).net_worth
    assert (worth.value, worth.change) == (2 * most, -2 * most)
    (flow,) = figures.of_user(owner, "1M", now().date()).cash_flow
    assert (flow.months[-1].money_out, flow.chart.months[-1].amounts[1]) == (2 * most, 2 * most)
    for wanted in (Filter(owner), Filter(owner, smallest=Decimal(1))):
        assert [each.money_out for each in filter_totals.tally(wanted, 100).sums] == [2 * most]
    assert_consistent(item)


def test_the_first_day_that_python_has_is_a_day_like_any_other(bank, link, owner):
    """Some banks send it for a date that they don't know."""
    bank.sends([row("old", date="0001-01-01"), row("new", date="9999-12-31")])
    item = link()
    assert stored().keys() == {"old", "new"}
    assert_consistent(item)
    (worth,) = figures.of_user(owner, "all", now().date()).net_worth
    assert worth.value == 10
