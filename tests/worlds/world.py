"""A person with a few banks. Steps change the banks, sync, fail, edit and reconnect at random."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Flask
from sqlalchemy import event, select, update

from plaidapp.extensions import db
from plaidapp.jobs.run import run
from plaidapp.store import Item, Pull, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import accounts, arranged_accounts, item_states, sync_progress
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from plaidapp.store.transactions import edits

from .plaid import Institution, Killed, Plaid, RealAccount, RealRow

KINDS = ("depository", "depository", "credit", "loan", "investment")
AMOUNTS = tuple(
    map(Decimal, ("100", "-100", "12.5", "-12.5", "100", "-100", "1", "0.01", "-2000", "0"))
)
NAMES = (
    "Café Zoë",
    "東京スカイツリー",
    "UBER *TRIP 072515",
    "Payroll",
    "Card payment",
    "☕",
    "Transfer",
)
CATEGORIES = (
    None,
    ("FOOD_AND_DRINK", "FOOD_AND_DRINK_COFFEE"),
    ("INCOME", "INCOME_WAGES"),
    ("TRANSFER_OUT", "TRANSFER_OUT_ACCOUNT_TRANSFER"),
    ("TRANSFER_IN", "TRANSFER_IN_ACCOUNT_TRANSFER"),
    ("LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"),
    ("TRAVEL", "TRAVEL_FLIGHTS"),
    ("LOAN_DISBURSEMENTS", "LOAN_DISBURSEMENTS_PERSONAL"),
    ("SPACE", "SPACE_MOON"),
)
CHANGES: tuple[dict[str, Any], ...] = (
    {"hidden": True},
    {"hidden": False},
    {"own_category": "TRAVEL"},
    {"own_category": "TRANSFER_OUT"},
    {"own_category": None},
    {"note": "with Zoë"},
    {"note": None},
)
FAULTS = (None, "down", "mutation", "timeout", "killed", "commit")
BANKS = 3


@dataclass(frozen=True)
class Own:
    """What the person decided about a row."""

    hidden: bool = False
    own_category: str | None = None
    note: str | None = None


@dataclass(frozen=True)
class Expected:
    """A row as it has to be shown, unless it is hidden, or its account."""

    row: RealRow
    account: RealAccount
    own: Own
    in_hidden_account: bool

    @property
    def is_hidden(self) -> bool:
        return self.own.hidden or self.in_hidden_account


@dataclass
class World:
    """`own` is by the number of the row that began as pending, or of the row itself. `hidden` has
    the numbers of the accounts that the person has hidden."""

    app: Flask
    user_id: int
    today: date
    plaid: Plaid = field(default_factory=Plaid)
    own: dict[int, Own] = field(default_factory=dict)
    root: dict[int, int] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)
    numbers: int = 0

    def __post_init__(self) -> None:
        for number in range(BANKS):
            # The first accounts of each bank are alike in all but their mask.
            real = [
                RealAccount(
                    10 * number + place,
                    KINDS[(number + place) % len(KINDS)],
                    "EUR" if number == BANKS - 1 and place == 1 else "USD",
                    persistent=number == 0,
                    listed=place < 2,
                )
                for place in range(number + 1)
            ]
            institution = Institution(f"ins_{number}", real)
            self.plaid.institutions[institution.id] = institution

    def expected(self) -> list[Expected]:
        """Return every row of the banks that are connected."""
        return [
            Expected(
                row,
                account,
                self.own.get(self.root[row.number], Own()),
                account.number in self.hidden,
            )
            for institution in self.connected()
            for row in institution.rows.values()
            for account in institution.accounts
            if account.number == row.account and account.listed and not row.is_nonsense
        ]

    def accounts(self) -> list[RealAccount]:
        return [account for bank in self.connected() for account in bank.accounts if account.listed]

    def connected(self) -> list[Institution]:
        return [each for each in self.plaid.institutions.values() if self._items(each)]

    # --- what happens at a bank ---

    def spend(self, a: int, b: int, c: int) -> None:
        institution = self._bank(a)
        account = institution.accounts[b % len(institution.accounts)]
        row = RealRow(
            self._number(),
            account.number,
            self.today - timedelta(days=b % 100 if b % 4 == 0 else b % 12),
            AMOUNTS[c % len(AMOUNTS)],
            NAMES[(a + c) % len(NAMES)],
            CATEGORIES[(b + c) % len(CATEGORIES)],
            pending=c % 3 == 0,
            is_nonsense=c % 10 == 9,
        )
        self.root[row.number] = row.number
        self.plaid.change(institution, "added", row)

    def correct(self, a: int, b: int, c: int) -> None:
        """The bank changes a row, perhaps to another month."""
        institution = self._bank(a)
        if row := _pick(institution, b):
            changed = (
                replace(row, amount=AMOUNTS[c % len(AMOUNTS)]),
                replace(row, day=self.today - timedelta(days=c % 100)),
                replace(row, category=CATEGORIES[c % len(CATEGORIES)]),
                replace(row, name=NAMES[c % len(NAMES)]),
            )[(b + c) % 4]
            self.plaid.change(institution, "modified", replace(changed, is_nonsense=False))

    def post(self, a: int, b: int, c: int) -> None:
        """A pending row posts, under a new id, perhaps with another amount and day."""
        institution = self._bank(a)
        if row := _pick(institution, b, pending=True):
            day = min(row.day + timedelta(days=c % 4), self.today)
            amount = row.amount if c % 2 else AMOUNTS[c % len(AMOUNTS)]
            posted = replace(
                row,
                number=self._number(),
                day=day,
                amount=amount,
                pending=False,
                posts=row.number,
                is_nonsense=False,
            )
            self.root[posted.number] = self.root[row.number]
            self.plaid.change(institution, "removed", row)
            self.plaid.change(institution, "added", posted)

    def remove(self, a: int, b: int, _c: int) -> None:
        institution = self._bank(a)
        if row := _pick(institution, b):
            self.plaid.change(institution, "removed", row)

    def balance(self, a: int, b: int, c: int) -> None:
        institution = self._bank(a)
        account = institution.accounts[b % len(institution.accounts)]
        account.current = AMOUNTS[c % len(AMOUNTS)] * (1 + b % 7)

    def list_all(self, a: int, _b: int, _c: int) -> None:
        """The bank lists an account whose rows it has sent before."""
        for account in self._bank(a).accounts:
            account.listed = True

    # --- what the person and the app do ---

    def connect(self, a: int, b: int, c: int) -> None:
        """Connect a bank, or connect it again. What failed half-way is then tried once more."""
        institution = self._bank(a)
        self._settle(institution)
        with self.app.app_context():
            pull = pulls.add(self.user_id, kinds.LINK, institution_id=institution.id)
            db.session.commit()
            pull_id = pull.id
        self._run(pull_id, b, c)
        self._settle(institution)

    def sync(self, a: int, b: int, c: int) -> None:
        self._pull(kinds.TRANSACTIONS, a, b, c)

    def reread(self, a: int, b: int, c: int) -> None:
        self._pull(kinds.REPAIR, a, b, c)

    def balances(self, a: int, b: int, c: int) -> None:
        self._pull(kinds.ACCOUNTS, a, b, c)

    def edit(self, a: int, b: int, c: int) -> None:
        """Edit one row that is shown, or hidden."""
        with self.app.app_context():
            shown = select(Transaction.id, Transaction.plaid_transaction_id)
            shown = shown.where(Transaction.removed_at.is_(None))
            if b % 2:  # more often those that will change
                shown = shown.where(Transaction.pending)
            rows = db.session.execute(shown).all()
            rows.sort(key=lambda row: number_of(row.plaid_transaction_id))
            if not rows:
                return
            row_id, plaid_id = rows[a % len(rows)]
            change = CHANGES[c % len(CHANGES)]
            edits.apply(self.user_id, edits.of_ids(self.user_id, [row_id]), change)
            db.session.commit()
        root = self.root[number_of(plaid_id)]
        self.own[root] = replace(self.own.get(root, Own()), **change)

    def hide(self, a: int, _b: int, c: int) -> None:
        """Hide an account or show it again, wherever it is stored."""
        with self.app.app_context():
            users.lock_ledger(self.user_id)
            stored = accounts.of_user(self.user_id)
            numbers = sorted({number_of(account.plaid_account_id) for account in stored})
            if not numbers:
                return
            number, hidden = numbers[a % len(numbers)], c % 3 > 0
            for account in stored:
                if number_of(account.plaid_account_id) == number:
                    arranged_accounts.hide(account, hidden=hidden)
            db.session.commit()
        (self.hidden.add if hidden else self.hidden.discard)(number)

    def settle(self) -> None:
        """Sync everything without a fault, until nothing is left to do."""
        for institution in self.plaid.institutions.values():
            self._settle(institution)

    def _settle(self, institution: Institution) -> None:
        self.plaid.faults.clear()
        for item in self._items(institution):
            with self.app.app_context():
                sync_progress.request_sync(item)
                db.session.commit()
            self._run(self._add(kinds.TRANSACTIONS, item))
            self._run(self._add(kinds.RECURRING, item))
        with self.app.app_context():
            waiting = select(Pull.id).where(Pull.state.in_((pulls.QUEUED, pulls.RUNNING)))
            left = db.session.scalars(waiting).all()
        for pull_id in left:
            self._run(pull_id)

    def _pull(self, kind: str, a: int, b: int, c: int) -> None:
        if known := self._items(self._bank(a)):
            item = known[b % len(known)]
            with self.app.app_context():
                sync_progress.request_sync(item)
                db.session.commit()
            self._run(self._add(kind, item), b, c)

    def _items(self, institution: Institution) -> list[int]:
        with self.app.app_context():
            query = select(Item.id).where(
                Item.institution_id == institution.id, Item.state.not_in(item_states.NOT_SYNCED)
            )
            return list(db.session.scalars(query.order_by(Item.id)))

    def _add(self, kind: str, item_id: int) -> int:
        with self.app.app_context():
            pull = pulls.add(self.user_id, kind, [db.session.get_one(Item, item_id)])
            db.session.commit()
            return pull.id

    def _run(self, pull_id: int, b: int = 0, c: int = 0) -> None:
        """Run a pull as a worker does. The call number b meets fault c, if there is one."""
        fault = FAULTS[c % len(FAULTS)]
        calls = b % 4
        self.plaid.faults = [*[None] * calls, fault] if fault != "commit" else []
        with self.app.app_context():
            values = {"state": pulls.QUEUED, "run_after": now()}
            db.session.execute(update(Pull).where(Pull.id == pull_id).values(**values))
            db.session.commit()
            with killed_at_commit(calls + 2 if fault == "commit" else None):
                try:
                    run(pull_id)
                except Killed:
                    db.session.rollback()
        self.plaid.faults.clear()

    def _bank(self, a: int) -> Institution:
        return list(self.plaid.institutions.values())[a % BANKS]

    def _number(self) -> int:
        self.numbers += 1
        return self.numbers


STEPS = (
    *(World.spend, World.spend, World.spend, World.correct, World.post, World.remove),
    *(World.balance, World.connect, World.sync, World.sync, World.reread, World.balances),
    *(World.edit, World.edit, World.list_all, World.hide),
)


def new(app: Flask, today: date) -> World:
    with app.app_context():
        user = users.add("olive", "olive@example.com", "no hash")
        db.session.commit()
        user_id = user.id
    world = World(app, user_id, today)
    app.extensions["bank"]._client.call_api = world.plaid.call_api
    return world


def number_of(plaid_id: str) -> int:
    """Return the number of the bank's row, which all Items name under ids of their own."""
    return int(plaid_id.rpartition("-")[2])


def _pick(institution: Institution, b: int, *, pending: bool = False) -> RealRow | None:
    rows = [row for row in institution.rows.values() if row.pending or not pending]
    return rows[b % len(rows)] if rows else None


@contextmanager
def killed_at_commit(number: int | None) -> Iterator[None]:
    """End the process just before it commits for the `number`-th time."""
    left = number

    def count(_session: object) -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left == 0:
                raise Killed

    event.listen(db.session, "before_commit", count)
    try:
        yield
    finally:
        event.remove(db.session, "before_commit", count)
