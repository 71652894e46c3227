"""What a check has found, and what it stores: a result for each account, and the differences."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from plaidapp import policy
from plaidapp.bank.payloads import Accounts, PlaidAccount
from plaidapp.store import Account, CheckDifference, Item
from plaidapp.store.base.types import exact, now
from plaidapp.store.connections import account_types, checks, former_accounts
from plaidapp.store.reports import balance_proof
from plaidapp.store.transactions import compared_rows

from .check_progress import Progress
from .row_comparison import Differing, Row, Side, stored_row


@dataclass
class News:
    """What the bank has changed since the last sync: Plaid's ids of rows, and the accounts of which
    anything has changed."""

    ids: set[str] = field(default_factory=set)
    moving: set[int] = field(default_factory=set)


@dataclass
class Findings:
    """What the bank has said. `rows` is None if it provides no transactions, for `refusal`.

    `listed` are its accounts, and `known` those that are stored. `balances` has the ids of accounts
    whose stored balance is not the bank's.
    """

    item: Item
    listed: Accounts
    known: Sequence[Account]
    progress: Progress
    refusal: str | None
    news: News
    balances: set[int] = field(default_factory=set)

    @property
    def rows(self) -> Progress | None:
        return None if self.refusal else self.progress

    @property
    def has_news(self) -> bool:
        return bool(self.progress.has_news or self.news.ids or self.news.moving)

    @property
    def at_bank(self) -> dict[str, PlaidAccount]:
        """The bank's accounts by Plaid's ids."""
        return {sent.account_id: sent for sent in self.listed.accounts}

    def differing_balances(self) -> set[int]:
        at_bank = self.at_bank
        return {
            account.id
            for account in self.known
            if why_impossible(account, at_bank) is None
            and account.current != at_bank[account.plaid_account_id].balances.current
        }


def why_impossible(account: Account, at_bank: Mapping[str, PlaidAccount]) -> str | None:
    """Return why nothing of the account can be compared, or None."""
    if account.closed_at:
        return checks.CLOSED
    if account.is_beyond_checks:
        return checks.INVESTMENTS
    return None if account.plaid_account_id in at_bank else checks.NOT_LISTED


def of(found: Findings) -> tuple[list[dict[str, Any]], list[CheckDifference]]:
    """Return the columns of AccountCheck for each account, and the differences to keep."""
    at_bank, rows = found.at_bank, found.rows
    comparable = {
        account.plaid_account_id: account
        for account in found.known
        if why_impossible(account, at_bank) is None
    }
    differences = defaultdict[int, list[CheckDifference]](list)
    counts = Counter[int]()
    for account_id, difference in _differences(found, comparable):
        counts[account_id] += 1
        if len(differences[account_id]) < policy.DIFFERENCES_KEPT:
            differences[account_id].append(difference)
    older = _older(found)
    proofs = _proofs(found, comparable.values())
    results = []
    for account in found.known:
        plaid_id = account.plaid_account_id
        proof = proofs.get(account.id)
        is_compared = rows is not None and plaid_id in comparable
        results.append(
            {
                "account_id": account.id,
                "checked_at": now(),
                "since": found.progress.since if is_compared else None,
                "rows": rows.compared.get(plaid_id, 0) if rows and is_compared else 0,
                "differences": counts[account.id],
                "pending": rows.pending.get(plaid_id, 0) if rows and is_compared else 0,
                "older": older.get(account.id, 0),
                "opened_on": proof.opened_on if proof else None,
                "gap": proof.gap if proof else None,
                "impossible": why_impossible(account, at_bank),
            }
        )
    return results, [each for account in found.known for each in differences[account.id]]


def _older(found: Findings) -> Mapping[int, int]:
    if not found.progress.is_full:
        before = checks.of_item(found.item.id)
        return {account_id: check.older for account_id, check in before.items()}
    account_ids = [account.id for account in found.known]
    former = former_accounts.former_items(found.item.id)
    return compared_rows.count_older(former, account_ids, found.progress.since)


def _proofs(found: Findings, comparable: Iterable[Account]) -> dict[int, balance_proof.Proof]:
    """Return none of an account of which the bank has changed what the next sync stores."""
    balances = {}
    for account in comparable:
        sent = found.at_bank[account.plaid_account_id].balances
        balance = account_types.balance_of(account.type, sent.current, sent.available, sent.limit)
        if balance is not None and account.id not in found.news.moving:
            balances[account.id] = balance
    return balance_proof.prove(balances, found.progress.since)


def _differences(
    found: Findings, comparable: Mapping[str, Account]
) -> Iterator[tuple[int, CheckDifference]]:
    """Yield each difference with the account that it counts for."""
    for account in comparable.values():
        if account.id in found.balances:
            theirs = found.at_bank[account.plaid_account_id].balances.current
            amounts = _balance_json(account, account.current), _balance_json(account, theirs)
            yield account.id, _difference(account, checks.BALANCE, "", None, *amounts)
    if found.rows is None:
        return
    for row in _with_stored(found, found.rows.differing.values()):
        for plaid_id, kind in _counted(row):
            if of_it := comparable.get(plaid_id):
                sides = _row_json(row.ours), _row_json(row.theirs)
                yield of_it.id, _difference(of_it, kind, row.plaid_id, row.transaction_id, *sides)


def _with_stored(found: Findings, rows: Collection[Differing]) -> Iterator[Differing]:
    """Leave out rows that a sync or a repair has stored anew since they were compared.

    Add the stored row where it has another day than those compared, or another Item's account. That
    account has no name here.
    """
    names = {account.id: account.plaid_account_id for account in found.known}
    missing = [row.plaid_id for row in rows if row.ours is None]
    by_plaid_id = compared_rows.by_plaid_ids(found.item.id, missing)
    by_id = compared_rows.by_ids([row.transaction_id for row in rows if row.transaction_id])
    for row in rows:
        if row.transaction_id:
            now_stored = by_id.get(row.transaction_id)
            if now_stored and stored_row(now_stored, names) == row.ours:
                yield row
        elif row.ours is None and (found_elsewhere := by_plaid_id.get(row.plaid_id)):
            ours = stored_row(found_elsewhere, names)
            if ours != row.theirs:
                yield row._replace(ours=ours, transaction_id=found_elsewhere.id)
        else:
            yield row


def _counted(row: Differing) -> Iterator[tuple[str, str]]:
    """Yield Plaid's id of the account and the kind of each difference that a row makes.

    A row in the wrong account is one too many there and one too few in its own. Rows that are not
    posted on either side don't count, nor rows that can't be read.
    """
    ours, theirs = row.ours, row.theirs
    is_posted_here = isinstance(ours, Row) and not ours.pending
    if isinstance(theirs, Row):
        if theirs.pending and not is_posted_here:
            return
        if isinstance(ours, Row) and ours.account == theirs.account:
            yield theirs.account, checks.DIFFERENT
            return
        yield theirs.account, checks.ONLY_AT_BANK
        if isinstance(ours, Row):
            yield ours.account, checks.ONLY_HERE
    elif theirs is None and isinstance(ours, Row) and is_posted_here:
        yield ours.account, checks.ONLY_HERE


def _difference(
    account: Account,
    kind: str,
    plaid_id: str,
    transaction_id: int | None,
    here: Mapping[str, Any] | None,
    at_bank: Mapping[str, Any] | None,
) -> CheckDifference:
    return CheckDifference(
        account_id=account.id,
        kind=kind,
        plaid_id=plaid_id,
        transaction_id=transaction_id,
        here=_text(here),
        at_bank=_text(at_bank),
    )


def _text(values: Mapping[str, Any] | None) -> str | None:
    return msgspec.json.encode(values).decode() if values else None


def _row_json(side: Side) -> Mapping[str, Any] | None:
    return side._asdict() | {"amount": exact(side.amount)} if isinstance(side, Row) else None


def _balance_json(account: Account, amount: Decimal | None) -> Mapping[str, Any]:
    return {"amount": exact(amount), "currency": account.currency}
