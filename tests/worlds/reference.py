"""What every figure should be, added up from the banks' rows in the slowest and plainest way.

Which rows are the two sides of a transfer is the app's own rule (transfer_rule.py), applied to all
rows at once. The app applies it piece by piece, to what each sync changes.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from plaidapp.store.transactions import transfer_rule
from plaidapp.store.transactions.transfer_sides import Side

from .plaid import RealAccount, payments
from .world import Expected, Own

ZERO = Decimal(0)
SPENT_FROM = ("depository", "credit")
DEBTS = ("credit", "loan")
TRANSFERS = ("TRANSFER_IN", "TRANSFER_OUT", "LOAN_DISBURSEMENTS")
REFUNDED = ("FOOD_AND_DRINK", "TRAVEL", "LOAN_PAYMENTS")
"""The categories of this test under which money in is a refund."""


def transfers(rows: Iterable[Expected]) -> set[int]:
    """Return the numbers of the rows that are a side of a transfer."""
    sides = [
        Side(
            each.row.number,
            f"{each.row.number:09}",
            each.account.number,
            each.account.kind,
            each.account.subtype,
            each.account.mask,
            each.row.day,
            int(each.row.amount * 10**8),
            each.account.currency,
            each.row.name,
            None,
            *(each.row.category or (None, None)),
            False,
        )
        for each in rows
    ]
    return {side.id for pair in transfer_rule.pairs(sides) for side in pair}


def category(each: Expected, matched: set[int]) -> str:
    if each.own.own_category:
        return each.own.own_category
    primary, detailed = each.row.category or ("OTHER", "")
    if each.row.number in matched or detailed == "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT":
        return "TRANSFER_OUT" if each.row.amount > 0 else "TRANSFER_IN"
    return primary


def earned_or_spent(rows: Sequence[Expected]) -> list[tuple[Expected, str]]:
    """Return the rows that count, with their category."""
    matched = transfers(rows)
    return [
        (each, category(each, matched))
        for each in rows
        if not each.is_hidden
        and each.account.kind in SPENT_FROM
        and category(each, matched) not in TRANSFERS
    ]


def cash_flow(rows: Sequence[Expected]) -> dict[tuple[str, date], tuple[Decimal, Decimal]]:
    """Money in and money out by currency and month."""
    sums: dict[tuple[str, date], tuple[Decimal, Decimal]] = {}
    for each, _ in earned_or_spent(rows):
        key = each.account.currency, each.row.day.replace(day=1)
        money_in, money_out = sums.get(key, (ZERO, ZERO))
        amount = each.row.amount
        sums[key] = money_in + max(-amount, ZERO), money_out + max(amount, ZERO)
    return {key: pair for key, pair in sums.items() if pair != (ZERO, ZERO)}


def spending(rows: Sequence[Expected]) -> dict[tuple[str, date, str], Decimal]:
    """Purchases less refunds by currency, month and category."""
    sums: dict[tuple[str, date, str], Decimal] = defaultdict(lambda: ZERO)
    for each, name in spent(rows):
        sums[each.account.currency, each.row.day.replace(day=1), name] += each.row.amount
    return {key: amount for key, amount in sums.items() if amount}


def spending_parts(rows: Sequence[Expected], month: date) -> dict[tuple[str, str, str], Decimal]:
    """Purchases less refunds of a month by currency, category and detailed category."""
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(lambda: ZERO)
    for each, name in spent(rows):
        if each.row.day.replace(day=1) == month:
            sums[each.account.currency, name, part(each, name)] += each.row.amount
    return {key: amount for key, amount in sums.items() if amount}


def spent(rows: Sequence[Expected]) -> list[tuple[Expected, str]]:
    return [
        (each, name)
        for each, name in earned_or_spent(rows)
        if (each.row.amount < 0 and name in REFUNDED) or (each.row.amount > 0 and name != "INCOME")
    ]


def part(each: Expected, name: str) -> str:
    """The detailed category of a row that counts under `name`; "" for all the rest of it."""
    code = "" if each.own.own_category else (each.row.category or ("", ""))[1] or ""
    return code if code.startswith(f"{name}_") and f"{name}_OTHER" not in code else ""


def balance(account: RealAccount, rows: Iterable[Expected], day: date) -> Decimal:
    """The account's balance at the end of a day, counted back from today's."""
    total = account.current
    if account.kind in SPENT_FROM:
        sign = -1 if account.kind in DEBTS else 1
        for each in rows:
            if each.account is account and not each.row.pending and each.row.day > day:
                total += sign * each.row.amount
    return total


def net_worth(
    accounts: Sequence[RealAccount], rows: Sequence[Expected], day: date
) -> dict[str, Decimal]:
    """By currency. What is owed counts against it."""
    sums: dict[str, Decimal] = {}
    for account in accounts:
        sign = -1 if account.kind in DEBTS else 1
        sums.setdefault(account.currency, ZERO)
        sums[account.currency] += sign * balance(account, rows, day)
    return sums


def recurring(rows: Iterable[Expected]) -> dict[str, Decimal]:
    """Return what the recurring payments of all accounts cost in a month, by currency.

    The last payment counts. Those that the person has hidden, all of them, are left out. So are
    those of which at least half are sides of transfers.
    """
    rows = list(rows)
    matched = transfers(rows)
    paid: dict[int, list[Expected]] = defaultdict(list)
    for each in rows:
        if each.row in payments(each.account, [each.row]):
            paid[each.account.number].append(each)
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for group in paid.values():
        last = max(group, key=lambda each: (each.row.day, each.row.number))
        plain_category = replace(last, own=Own())
        sides = sum(each.row.number in matched for each in group)
        is_matched = sides > 0 and len(group) <= 2 * sides
        if not (
            all(each.is_hidden for each in group)
            or is_matched
            or category(plain_category, set()) in TRANSFERS
        ):
            sums[last.account.currency] += last.row.amount
    return dict(sums)


def found(rows: Iterable[Expected], typed: str) -> Counter[int]:
    """The numbers of the rows in whose text each typed word occurs."""
    return Counter(
        each.row.number
        for each in rows
        if not each.is_hidden
        and all(
            plain(word) in plain(f"{each.row.name} {each.own.note or ''}") for word in typed.split()
        )
    )


def plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()


def days_back(today: date, count: int) -> list[date]:
    return [today - timedelta(days=age) for age in range(count)]
