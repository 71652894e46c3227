"""Which rows are the two sides of a transfer between a person's own accounts.

The rule is a function of the rows alone, so it makes no difference which bank is synced first:

- The two sides are in different accounts, with the same amount in the same currency, once out and
  once in, at most `DAYS` days apart.
- At least one side hints at a transfer: by Plaid's category, by a word of its description such as
  "transfer", or by the other account's number or kind ("to savings"). A word such as "payment"
  hints at one if it is on both sides, or if the money arrives on a card or a loan.
- A side without a hint must not speak against it: it names no merchant and is no pay. Money that
  leaves a card or a loan needs a hint of its own, because nearly all of it is spent.
- Without any hint, two rows are matched only if both descriptions are alike in naming nobody else:
  they have nothing but words of banks and numbers ("ACH debit 071", "Deposit"), or the same words,
  such as the person's own name. Such matches come after all others. Categories don't count here,
  except that money in under a purchase's category is a refund if the descriptions have a name.
- The nearest day comes first, then money that leaves before it arrives, then the better hint. Rows
  that are still equal to each other are matched only if it doesn't matter which of them are: if
  none of them is left over, or if those that could be left over are alike.
- Two rows that the person has separated (*Not a transfer*) are not matched with each other again.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from ..connections.account_types import is_debt
from .categories import LOAN_PAYMENTS, TRANSFER_IN, TRANSFER_OUT, UNKNOWN, WAGES, is_spending

DAYS = 5
"""Calendar days between the two sides: enough for a weekend and a holiday."""
GAPS = sorted(range(-DAYS, DAYS + 1), key=lambda gap: (abs(gap), gap < 0))
"""Days from the money's leaving to its arriving, the best first."""
NAMED, BOTH, ONE, NEITHER = GRADES = range(4)
"""How good the hints are: one names the other account, both sides have one, one side has one, or
neither has one but nothing names anybody else."""
REACH = len(GRADES) * sum(map(abs, GAPS))
"""Days. A row has no influence on the matches of rows that are further away: on each level of the
rule, it can influence only rows that many days away."""
MOST_ALIKE = 20
"""If more equal amounts than this leave and arrive on two days, nobody can tell which is which."""

NONE, PAYMENT, TRANSFER = range(3)
CATEGORIES = {TRANSFER_IN: TRANSFER, TRANSFER_OUT: TRANSFER, LOAN_PAYMENTS: PAYMENT}
"""Plaid's primary categories that hint at a transfer."""
TRANSFER_WORDS = re.compile(
    r"trans?fer|\btra?nsf\b|\btrnsfr?\b|xfer|\btfr\b"
    r"|virement|umbuchung|übertrag|traspaso|overboeking",
    re.IGNORECASE,
)
PAYMENT_WORDS = re.compile(
    r"payment|pymn?ts?\b|pmts?\b|\bauto ?pay|\be-?pay\b|thank you", re.IGNORECASE
)
BANK_WORDS = re.compile(
    r"accounts?|acct|ach|bank(?:ing)?|checking|savings|share|credit|debit|deposit(?:ed)?|eft"
    r"|withdraw(?:al)?|electronic|mobile|online|internet|web|incoming|outgoing|internal|moved?"
    r"|from|to|in|into|out|of|my|own|ref|reference|sepa|konto|compte|cuenta|auszahlung|einzahlung"
    r"|gutschrift|lastschrift|dépôt|retrait|versement|depósito|retiro|ingreso|opname|storting"
)
"""Words that name neither a shop nor a person. "Check" and "bill" are not among them, because
that money goes to others, and neither is "direct": a direct deposit is pay."""
SHORTEST_NUMBER, SHORTEST_KIND = 3, 4


@dataclass(frozen=True, eq=False)
class Side:
    """A row that may be one side of a transfer, with what is needed of its account.

    `amount` is in units of 10^-8, and positive is money out. `category` and `detailed` are Plaid's.
    `is_separated` says that the person called it no transfer.
    """

    id: int
    plaid_transaction_id: str
    account_id: int
    account_type: str
    account_subtype: str | None
    account_mask: str | None
    date: date
    amount: int
    currency: str | None
    name: str
    merchant_name: str | None
    category: str | None
    detailed: str | None
    is_separated: bool

    @cached_property
    def hint(self) -> int:
        """NONE, PAYMENT or TRANSFER. The description counts only if it names no merchant."""
        by_category = CATEGORIES.get(self.category or "", NONE)
        if by_category == TRANSFER or self.merchant_name:
            return by_category
        if TRANSFER_WORDS.search(self.name):
            return TRANSFER
        return PAYMENT if PAYMENT_WORDS.search(self.name) else by_category

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of the description, without numbers."""
        return tuple(re.findall(r"[^\W\d_]+", self.name.casefold()))

    @property
    def order(self) -> tuple[str, str, int]:
        """The order in which rows are matched among which it doesn't matter."""
        return self.name, self.plaid_transaction_id, self.id

    @property
    def kind(self) -> tuple[object, ...]:
        """Rows of one day that are equal in this make the same difference to every figure."""
        return self.account_id, self.category, self.detailed, self.merchant_name, self.hint


Pair = tuple[Side, Side]
"""The side where money leaves, and the side where it arrives."""


def pairs(sides: Iterable[Side]) -> list[Pair]:
    """Return the transfers among these rows of one person."""
    equal = defaultdict(list)
    for side in sides:
        equal[abs(side.amount), side.currency].append(side)
    return [pair for group in equal.values() for pair in _pairs_of(group)]


def _pairs_of(sides: Sequence[Side]) -> list[Pair]:
    """Match rows of the same amount, from the best level of the rule to the last."""
    levels = defaultdict(list)
    for place, leaving, arriving in _candidates(sides):
        grade = _grade(leaving, arriving)
        if grade is not None:
            levels[grade == NEITHER, place, grade].append((leaving, arriving))
    found: list[Pair] = []
    settled: set[Side] = set()
    for level in sorted(levels):
        open_pairs = [pair for pair in levels[level] if settled.isdisjoint(pair)]
        for connected in _components(open_pairs):
            matched = _matched(connected)
            found += matched
            settled.update(side for pair in matched or connected for side in pair)
    return found


def _candidates(sides: Sequence[Side]) -> Iterator[tuple[int, Side, Side]]:
    """Yield pairs of rows that are near enough, with the place of their gap in GAPS."""
    leaving = _by_day(side for side in sides if side.amount > 0)
    arriving = _by_day(side for side in sides if side.amount < 0)
    for day, outs in leaving.items():
        for place, gap in enumerate(GAPS):
            there = arriving.get(day + gap)
            if there and max(len(outs), len(there)) <= MOST_ALIKE:
                yield from ((place, out, into) for out in outs for into in there)


def _by_day(sides: Iterable[Side]) -> dict[int, list[Side]]:
    days = defaultdict(list)
    for side in sides:
        days[side.date.toordinal()].append(side)
    return days


def _grade(out: Side, into: Side) -> int | None:
    """Return how good the hints are that these two are a transfer, or None if they are not good
    enough."""
    if out.account_id == into.account_id or (out.is_separated and into.is_separated):
        return None
    out_names, into_names = _names(out, into), _names(into, out)
    from_out = TRANSFER if out_names else out.hint
    from_into = TRANSFER if into_names else into.hint
    if _speaks_against(out, from_out) or _speaks_against(into, from_into):
        return None
    if is_debt(out.account_type) and from_out != TRANSFER:
        return None
    if out_names or into_names:
        return NAMED
    if from_out and from_into:
        return BOTH
    enough = PAYMENT if is_debt(into.account_type) else TRANSFER
    if max(from_out, from_into) >= enough:
        return ONE
    return NEITHER if _name_nobody_else(out, into) else None


def _names(side: Side, other: Side) -> bool:
    """Return True if a side's description has the number or the kind of the other's account."""
    if side.merchant_name:
        return False
    mask, subtype = other.account_mask or "", other.account_subtype or ""
    has_number = len(mask) >= SHORTEST_NUMBER and mask in re.findall(r"\d+", side.name)
    return has_number or (len(subtype) >= SHORTEST_KIND and subtype in side.name.casefold())


def _name_nobody_else(out: Side, into: Side) -> bool:
    if all(map(BANK_WORDS.fullmatch, (*out.words, *into.words))):
        return True
    is_refund = is_spending(into.category or UNKNOWN, money_out=False)
    return out.words == into.words and not is_refund


def _speaks_against(side: Side, hint: int) -> bool:
    return hint == NONE and bool(side.merchant_name or side.detailed in WAGES)


def _components(candidates: Sequence[Pair]) -> Iterator[list[Pair]]:
    """Yield the pairs of each group of rows that could be matched with each other."""
    pairs_of = defaultdict(list)
    for pair in candidates:
        for side in pair:
            pairs_of[side].append(pair)
    seen: set[Side] = set()
    for start in list(pairs_of):
        if start in seen:
            continue
        group, waiting = [], [start]
        seen.add(start)
        while waiting:
            side = waiting.pop()
            for pair in pairs_of[side]:
                if side is pair[0]:
                    group.append(pair)
                for other in pair:
                    if other not in seen:
                        seen.add(other)
                        waiting.append(other)
        yield group


def _matched(connected: Sequence[Pair]) -> list[Pair]:
    """Match a group of rows if it doesn't matter which; otherwise return nothing."""
    partners = defaultdict(set)
    for out, into in connected:
        partners[out].add(into)
        partners[into].add(out)
    few, many = sorted(({out for out, _ in connected}, {into for _, into in connected}), key=len)
    if len(few) < len(many) and len({side.kind for side in many}) > 1:
        return []
    found = []
    free = set(many)
    for side in sorted(few, key=lambda side: (len(partners[side]), side.order)):
        possible = partners[side] & free
        if not possible:
            return []
        partner = min(possible, key=lambda side: side.order)
        free.remove(partner)
        found.append((side, partner) if side.amount > 0 else (partner, side))
    return found
