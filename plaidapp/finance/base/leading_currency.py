"""In which order currencies stand beside one another. The first one leads."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from flask import g

from plaidapp.auth.access import person
from plaidapp.formats import CURRENCIES
from plaidapp.store.connections import accounts

from .blueprint import blueprint

Sum = TypeVar("Sum", bound=tuple[Any, ...])


def in_order(counted: Mapping[str, int], main_currency: str | None) -> list[str]:
    """Order currencies by how many accounts have them; of as many, the first one leads.

    The person's choice comes first, then ISO's currencies.
    """
    return sorted(
        counted, key=lambda code: (code != main_currency, code not in CURRENCIES, -counted[code])
    )


def of_person() -> list[str]:
    """Return the currencies of the person's open accounts. "" is that of an account without one."""
    if "currencies" not in g:
        shown = (
            account
            for account in accounts.of_user(person().id)
            if not (account.closed_at or account.is_hidden)
        )
        counted = Counter(account.currency or "" for account in shown)
        g.currencies = in_order(counted, person().main_currency)
    return list(g.currencies)


@blueprint.app_template_filter()
def leading_first(sums: Sequence[Sum]) -> Sequence[Sum]:
    """Order sums, each of which begins with its currency, as those of the person's accounts are.

    Others stay as they were, at the end.
    """
    if len(sums) < 2:
        return sums
    order = of_person()
    places = {code: place for place, code in enumerate(order)}
    return sorted(sums, key=lambda each: places.get(each[0] or "", len(order)))
