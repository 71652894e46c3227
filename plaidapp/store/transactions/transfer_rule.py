"""Which rows are the two sides of a transfer between a person's own accounts.

The rule is a function of the rows alone, so it makes no difference which bank is synced first:

- The two sides are in different accounts, with the same amount in the same currency, once out and
  once in, at most `DAYS` days apart.
- At least one side hints at a transfer: by Plaid's category, by a word of its description such as
  "transfer", or by the other account's number or kind ("to savings"). A word such as "payment"
  hints at one if it is on both sides, or if the money arrives on a card or a loan.
- A side without a hint must not speak against it: it names no merchant and is no pay, interest or
  refund. Money that leaves a card or a loan needs a hint of its own, because nearly all of it is
  spent. A service such as Zelle, which pays people, has to name the same person on both sides.
- Without any hint, or with "payment" on both sides, two rows are matched only if both descriptions
  are alike in naming nobody else: they have nothing but words of banks and numbers ("ACH debit
  071", "Deposit"), or the same words, such as the person's own name. Matches without a hint come
  after all others. Categories don't count here, except that money in under a purchase's category
  is a refund if the descriptions have a name.
- The nearest day comes first, then money that leaves before it arrives, then the better hint. Rows
  that are still equal to each other are matched only if it doesn't matter which of them are: if
  none of them is left over, or if those that could be left over are alike.
- Two rows that the person has separated (*Not a transfer*) are not matched with each other again.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from ..connections.account_types import is_debt
from .transfer_sides import PAYMENT, TRANSFER, Side

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
    out_names, into_names = out.names_account_of(into), into.names_account_of(out)
    from_out = TRANSFER if out_names else out.hint
    from_into = TRANSFER if into_names else into.hint
    if (not from_out and out.speaks_against) or (not from_into and into.speaks_against):
        return None
    if is_debt(out.account_type) and from_out != TRANSFER:
        return None
    if (out.pays_a_person or into.pays_a_person) and not _name_one_person(out, into):
        return None
    if out_names or into_names:
        return NAMED
    into_debt = is_debt(into.account_type)
    if max(from_out, from_into) >= (PAYMENT if into_debt else TRANSFER):
        return BOTH if from_out and from_into else ONE
    if not _name_nobody_else(out, into):
        return None
    return BOTH if from_out and from_into else NEITHER


def _name_one_person(out: Side, into: Side) -> bool:
    """Return True if the descriptions share a name, or have none."""
    return bool(out.names & into.names) or not (out.names or into.names)


def _name_nobody_else(out: Side, into: Side) -> bool:
    if not (out.names or into.names):
        return out.says_payment == into.says_payment
    return len(out.names) > 1 and out.words == into.words and not into.is_refund


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
