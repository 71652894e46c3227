"""A bank in memory that answers as Plaid does, and can fail in the middle of a sync.

It takes the place of plaid-python's HTTP client, so everything above the wire is real: requests
from plaid-python's models, responses decoded from bytes.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import plaid
import urllib3

PAGE = 3
"""Rows in a page, so that a short history has several."""
MUTATION = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"


class Killed(BaseException):
    """The worker's process ends here."""


@dataclass
class RealAccount:
    """An account as its bank knows it. `current` is what is owed on a debt.

    The bank sends rows of accounts that are not `listed`, but not the accounts.
    """

    number: int
    kind: str
    currency: str
    persistent: bool
    current: Decimal = Decimal(0)
    listed: bool = True

    @property
    def mask(self) -> str:
        return f"{self.number:04}"

    @property
    def subtype(self) -> str:
        return "checking" if self.kind == "depository" else "credit card"


@dataclass(frozen=True)
class RealRow:
    """A transaction at the bank. `amount` is positive for money out."""

    number: int
    account: int
    day: date
    amount: Decimal
    name: str
    category: tuple[str, str] | None
    pending: bool = False
    posts: int | None = None
    """The number of the pending row that this one replaces."""
    is_nonsense: bool = False
    """The bank sends a date that does not exist."""


class Change(NamedTuple):
    kind: str
    row: RealRow


@dataclass
class Institution:
    """The truth at one bank, whatever has been synced."""

    id: str
    accounts: list[RealAccount]
    rows: dict[int, RealRow] = field(default_factory=dict)


@dataclass
class Link:
    """One Item: its own ids for the accounts and rows of an institution, and its changes so far."""

    number: int
    institution: Institution
    changes: list[Change] = field(default_factory=list)
    alive: bool = True

    def account_id(self, account: int) -> str:
        return f"a{self.number}-{account}"

    def row_id(self, row: int) -> str:
        return f"t{self.number}-{row}"


class Answer(NamedTuple):
    data: bytes


class Plaid:
    """All institutions and Items. `faults` are what the next calls meet, oldest first."""

    def __init__(self) -> None:
        self.institutions: dict[str, Institution] = {}
        self.links: list[Link] = []
        self.faults: list[str | None] = []

    def call_api(self, path: str, _method: str, *, body: Any, **_options: Any) -> Answer:
        self._fail(self.faults.pop(0) if self.faults else None)
        asked = body.to_dict()
        answer = self._answers()[path](asked)
        return Answer(json.dumps(answer | {"request_id": "r"}, default=_number).encode())

    def _fail(self, fault: str | None) -> None:
        if fault == "down":
            raise _refused(500, "API_ERROR", "INTERNAL_SERVER_ERROR")
        if fault == "mutation":
            raise _refused(400, "TRANSACTIONS_ERROR", MUTATION)
        if fault == "timeout":
            raise urllib3.exceptions.ReadTimeoutError(None, "", "")
        if fault == "killed":
            raise Killed

    def _answers(self) -> dict[str, Callable[[dict[str, Any]], dict[str, Any]]]:
        return {
            "/sandbox/public_token/create": self._public_token,
            "/item/public_token/exchange": self._exchange,
            "/item/remove": self._remove,
            "/accounts/get": self._accounts,
            "/accounts/balance/get": self._accounts,
            "/transactions/sync": self._sync,
            "/transactions/get": self._list,
            "/transactions/recurring/get": self._recurring,
        }

    def _public_token(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"public_token": asked["institution_id"]}

    def _exchange(self, asked: dict[str, Any]) -> dict[str, Any]:
        link = Link(len(self.links), self.institutions[asked["public_token"]])
        self.links.append(link)
        return {"access_token": str(link.number), "item_id": f"item-{link.number}"}

    def _remove(self, asked: dict[str, Any]) -> dict[str, Any]:
        self._link(asked).alive = False
        return {}

    def _link(self, asked: dict[str, Any]) -> Link:
        return self.links[int(asked["access_token"])]

    def _accounts(self, asked: dict[str, Any]) -> dict[str, Any]:
        link = self._link(asked)
        bank = {"institution_id": link.institution.id, "institution_name": "Bank"}
        return {"accounts": self._listed(link), "item": bank}

    def _listed(self, link: Link) -> list[dict[str, Any]]:
        return [
            {
                "account_id": link.account_id(account.number),
                "name": f"Account {account.number}",
                "mask": account.mask,
                "type": account.kind,
                "subtype": account.subtype,
                "persistent_account_id": f"p{account.number}" if account.persistent else None,
                "balances": {"current": account.current, "iso_currency_code": account.currency},
            }
            for account in link.institution.accounts
            if account.listed
        ]

    def _sent(self, link: Link, row: RealRow) -> dict[str, Any]:
        (account,) = (each for each in link.institution.accounts if each.number == row.account)
        return {
            "transaction_id": link.row_id(row.number),
            "account_id": link.account_id(row.account),
            "amount": row.amount,
            "date": "2026-02-31" if row.is_nonsense else row.day.isoformat(),
            "name": row.name,
            "pending": row.pending,
            "pending_transaction_id": None if row.posts is None else link.row_id(row.posts),
            "iso_currency_code": account.currency,
            "personal_finance_category": _category(row),
        }

    def _sync(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A cursor is how many changes have been read. While the first rows are read, it also has
        how many of them were."""
        link = self._link(asked)
        number, _, first = (asked.get("cursor") or "").partition(".")
        if number and not first:
            begin = int(number)
            changes, end = link.changes[begin : begin + PAGE], len(link.changes)
            cursor, more = str(min(begin + PAGE, end)), begin + PAGE < end
        else:
            begin, end = int(first or 0), int(number or len(link.changes))
            if end != len(link.changes):
                raise _refused(400, "TRANSACTIONS_ERROR", MUTATION)
            rows = list(link.institution.rows.values())
            changes = [Change("added", row) for row in rows[begin : begin + PAGE]]
            more = begin + PAGE < len(rows)
            cursor = f"{end}.{begin + PAGE}" if more else str(end)
        return {
            "accounts": self._listed(link),
            "added": [self._sent(link, row) for kind, row in changes if kind == "added"],
            "modified": [self._sent(link, row) for kind, row in changes if kind == "modified"],
            "removed": [
                {"transaction_id": link.row_id(row.number)}
                for kind, row in changes
                if kind == "removed"
            ],
            "next_cursor": cursor,
            "has_more": more,
            "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
        }

    def _list(self, asked: dict[str, Any]) -> dict[str, Any]:
        link = self._link(asked)
        rows = [self._sent(link, row) for row in link.institution.rows.values()]
        offset = asked["options"]["offset"]
        return {"transactions": rows[offset : offset + PAGE], "total_transactions": len(rows)}

    def _recurring(self, asked: dict[str, Any]) -> dict[str, Any]:
        link = self._link(asked)
        streams = [
            {
                "stream_id": f"s{link.number}-{account.number}",
                "account_id": link.account_id(account.number),
                "description": rows[-1].name,
                "frequency": "MONTHLY",
                "first_date": rows[0].day.isoformat(),
                "last_date": rows[-1].day.isoformat(),
                "transaction_ids": [link.row_id(row.number) for row in rows],
                "average_amount": {
                    "amount": rows[-1].amount,
                    "iso_currency_code": account.currency,
                },
                "last_amount": {"amount": rows[-1].amount, "iso_currency_code": account.currency},
                "is_active": True,
                "status": "MATURE",
                "personal_finance_category": _category(rows[-1]),
            }
            for account in link.institution.accounts
            if account.listed and (rows := payments(account, link.institution.rows.values()))
        ]
        return {"inflow_streams": [], "outflow_streams": streams}

    def change(self, institution: Institution, kind: str, row: RealRow) -> None:
        """Change the truth, and tell every Item of the institution."""
        if kind == "removed":
            del institution.rows[row.number]
        else:
            institution.rows[row.number] = row
        for link in self.links:
            if link.institution is institution:
                link.changes.append(Change(kind, row))


def payments(account: RealAccount, rows: Iterable[RealRow]) -> list[RealRow]:
    """Return the account's posted rows of money out, oldest first: its recurring payments."""
    paid = [
        row
        for row in rows
        if row.account == account.number and row.amount > 0 and not (row.pending or row.is_nonsense)
    ]
    return sorted(paid, key=lambda row: (row.day, row.number))


def _category(row: RealRow) -> dict[str, str] | None:
    return dict(zip(("primary", "detailed"), row.category, strict=True)) if row.category else None


def _number(value: object) -> object:
    """JSON has no decimals of its own. `float` is exact for what this bank sends: see below."""
    assert isinstance(value, Decimal), value
    assert Decimal(repr(float(value))) == value, value
    return float(value)


def _refused(status: int, kind: str, code: str) -> plaid.ApiException:
    error = plaid.ApiException(status=status)
    error.body = json.dumps({"error_type": kind, "error_code": code, "error_message": code})
    error.headers = {}
    return error
