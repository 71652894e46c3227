"""An explanation: a figure as a sum of lines, and the page or sheet that shows it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from flask import render_template

from plaidapp.htmx import is_htmx
from plaidapp.store import AccountCheck

from . import places


@dataclass(frozen=True)
class Line:
    """A part of the sum. What adds to the figure is positive.

    `url` is where its rows are or, if `is_explained`, its own explanation. `is_start` is for the
    amount that a change is added to. The amount is `times` that of the explanation.
    """

    label: str
    amount: Decimal
    url: str | None = None
    detail: str = ""
    is_explained: bool = False
    is_estimate: bool = False
    is_start: bool = False
    times: int = 1


@dataclass(frozen=True)
class Result:
    """What the lines so far add up to, divided by `divisor`. `is_confirmed` says that the bank
    reports the same."""

    label: str
    amount: Decimal
    detail: str = ""
    is_confirmed: bool = False
    divisor: int = 1


def total_of(lines: Iterable[Line]) -> Decimal:
    return sum((line.amount for line in lines), Decimal(0))


class Link(NamedTuple):
    label: str
    url: str
    is_explained: bool = False


@dataclass(frozen=True)
class Explanation:
    """A figure in one currency; "" is that of amounts whose bank names none.

    Its lines add up to the amount of its last result. Without any, the figure is not known. `about`
    says whose figure it is, and of when. `is_signed` is for a sum of what comes in and goes out,
    whose lines show their signs, `is_change` for a figure that shows its own, and `is_count` for a
    number of rows instead of an amount. `earlier` are payments before those of the sum. `stored` is
    the account as JSON, and `check` says how it compares with the bank.
    """

    title: str
    about: str
    currency: str
    entries: Sequence[Line | Result]
    notes: Sequence[str] = ()
    links: Sequence[Link] = ()
    is_signed: bool = True
    is_change: bool = False
    is_count: bool = False
    earlier: Sequence[Line] = ()
    stored: str = ""
    check: AccountCheck | None = None

    @property
    def amount(self) -> Decimal | None:
        return self.entries[-1].amount if self.entries else None


def answer(explanation: Explanation) -> str:
    """The sheet for htmx, and a page for everybody else."""
    if is_htmx():
        return render_template("finance/explain/_explanation.html", explanation=explanation)
    place = places.of_request()
    return render_template("finance/explain/explanation.html", explanation=explanation, place=place)
