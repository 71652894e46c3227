"""Compare an Item's rows with the bank's, page by page, and hold only those without a partner yet.

/transactions/get lists what the bank has now, newest first. It knows nothing of cursors, so a bug
in the sync can't hide itself. The stored rows are read along with it.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple

from plaidapp.bank import payloads
from plaidapp.bank.client import Bank
from plaidapp.bank.unread import TRANSACTION
from plaidapp.extensions import db
from plaidapp.store import Item
from plaidapp.store.base.currency import currency_of
from plaidapp.store.connections import known_accounts
from plaidapp.store.transactions import compared_rows, set_aside


class Row(NamedTuple):
    """What is compared of a row. `account` is Plaid's id."""

    account: str
    amount: Decimal
    currency: str | None
    date: date
    name: str
    pending: bool
    pending_transaction_id: str | None


class Aside(Enum):
    """Stands for a row that is set aside, and at the bank for one that can't be stored."""

    ASIDE = "set aside"


ASIDE = Aside.ASIDE
Side = Row | Aside | None


class Differing(NamedTuple):
    """A side is None if the row is missing there. `transaction_id` is ours of the stored row."""

    plaid_id: str
    ours: Side
    theirs: Side
    transaction_id: int | None

    @property
    def days(self) -> set[date]:
        return {side.date for side in (self.ours, self.theirs) if isinstance(side, Row)}


class Comparison:
    """`differing` has what differs by Plaid's id, once all rows are in.

    `compared` counts rows that both sides have, and `pending` stored rows that are pending, by
    Plaid's id of the account. `sent` counts the bank's rows.
    """

    def __init__(self, aside: set[str]) -> None:
        self.sent = 0
        self.compared = Counter[str]()
        self.pending = Counter[str]()
        self.differing: dict[str, Differing] = {}
        self._aside = aside
        self._ours: dict[str, tuple[Row, int]] = {}
        self._theirs: dict[str, Row | Aside] = {}
        self._settled: set[str] = set()

    def add_bank_page(self, sent: Mapping[str, Row | Aside], partly_read: set[str]) -> None:
        """Of a row that is partly read, the rest has to be stored like any other row."""
        for plaid_id, theirs in sent.items():
            if plaid_id in self._aside and plaid_id not in partly_read:
                self._ours.pop(plaid_id, None)
                self._settled.add(plaid_id)
                if theirs is not ASIDE:
                    self.differing[plaid_id] = Differing(plaid_id, ASIDE, theirs, None)
            elif found := self._ours.pop(plaid_id, None):
                self._pair(plaid_id, *found, theirs)
            else:
                self._theirs[plaid_id] = theirs

    def add_stored(self, plaid_id: str, ours: Row, transaction_id: int) -> None:
        self.pending[ours.account] += ours.pending
        if plaid_id in self._settled:
            return
        if (theirs := self._theirs.pop(plaid_id, None)) is not None:
            self._pair(plaid_id, ours, transaction_id, theirs)
        else:
            self._ours[plaid_id] = ours, transaction_id

    def _pair(self, plaid_id: str, ours: Row, transaction_id: int, theirs: Row | Aside) -> None:
        self.compared[ours.account] += not ours.pending
        if ours != theirs:
            self.differing[plaid_id] = Differing(plaid_id, ours, theirs, transaction_id)

    def end(self) -> None:
        """Count rows without a partner as different. One that is set aside may have another date
        than what the bank was asked about."""
        for plaid_id, (ours, transaction_id) in self._ours.items():
            if plaid_id not in self._aside:
                self.differing[plaid_id] = Differing(plaid_id, ours, None, transaction_id)
        for plaid_id, theirs in self._theirs.items():
            self.differing[plaid_id] = Differing(plaid_id, None, theirs, None)


def compare(
    bank: Bank,
    item: Item,
    first: date,
    last: date,
    progress: Callable[[int], None] = lambda rows: None,
) -> Comparison:
    """Compare the rows of these days. Raises BankError.

    Where something differs, those days are compared again, and it counts only if it still does: the
    bank or a sync may have changed rows between two pages.
    """
    seen = _look(bank, item, first, last, progress)
    if seen.differing:
        days = set[date]().union(*(row.days for row in seen.differing.values()))
        again = _look(bank, item, min(days, default=first), max(days, default=last))
        still = seen.differing.keys() & again.differing.keys()
        seen.differing = {plaid_id: again.differing[plaid_id] for plaid_id in sorted(still)}
    return seen


def _look(
    bank: Bank,
    item: Item,
    first: date,
    last: date,
    progress: Callable[[int], None] = lambda rows: None,
) -> Comparison:
    """`progress` gets the number of rows that the bank has sent. No transaction is open then."""
    known = known_accounts.of_item(item.id)
    comparison = Comparison(set_aside.keys(item.id)[TRANSACTION])
    db.session.commit()
    plaid_ids = {ours: plaid_id for plaid_id, ours in known.ids.items()}
    until = last
    for page in _pages(bank, item, first, last):
        sent: dict[str, Row | Aside] = {
            row.plaid_id: ASIDE for row in page.unread if row.plaid_id and not row.is_part
        }
        sent |= {
            row.transaction_id: _bank_row(row) if row.account_id in known.ids else ASIDE
            for row in page.transactions
            if row.account_id not in known.departed  # another Item reports these accounts
        }
        partly_read = {row.plaid_id for row in page.unread if row.plaid_id and row.is_part}
        comparison.add_bank_page(sent, partly_read)
        comparison.sent += len(page.transactions)
        progress(comparison.sent)
        # The oldest day of the page may go on on the next one.
        oldest = min((row.date for row in page.transactions), default=last)
        since = max(oldest + timedelta(days=1), first)
        _read_along(comparison, known.former, plaid_ids, since, until)
        until = min(until, since - timedelta(days=1))
    _read_along(comparison, known.former, plaid_ids, first, until)
    comparison.end()
    return comparison


def _pages(bank: Bank, item: Item, first: date, last: date) -> Iterator[payloads.TransactionsPage]:
    offset = 0
    while True:
        page = bank.transactions_page(item.token, first, last, offset)
        yield page
        rows = len(page.transactions) + sum(not row.is_part for row in page.unread)
        offset += rows
        if not rows or offset >= page.total_transactions:
            return


def _read_along(
    comparison: Comparison,
    former: Sequence[int],
    plaid_ids: Mapping[int, str],
    first: date,
    last: date,
) -> None:
    for row in compared_rows.between(former, list(plaid_ids), first, last):
        comparison.add_stored(row.plaid_transaction_id, stored_row(row, plaid_ids), row.id)


def stored_row(row: Any, plaid_ids: Mapping[int, str]) -> Row:
    """`row` has compared_rows.COLUMNS, and `plaid_ids` Plaid's ids of the Item's accounts."""
    return Row(
        account=plaid_ids.get(row.account_id, ""),
        amount=row.amount,
        currency=row.currency,
        date=row.date,
        name=row.name,
        pending=row.pending,
        pending_transaction_id=row.pending_transaction_id,
    )


def _bank_row(sent: payloads.PlaidTransaction) -> Row:
    return Row(
        account=sent.account_id,
        amount=sent.amount,
        currency=currency_of(sent),
        date=sent.date,
        name=sent.title,
        pending=sent.pending,
        pending_transaction_id=sent.pending_transaction_id,
    )
