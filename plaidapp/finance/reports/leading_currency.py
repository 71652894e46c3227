"""In which order currencies stand beside one another. The first one leads."""

from collections.abc import Mapping

from plaidapp.formats import CURRENCIES


def in_order(accounts: Mapping[str, int], main_currency: str | None) -> list[str]:
    """Order currencies by how many accounts have them.

    The person's choice comes first, then ISO's currencies, then those of the most accounts.
    """
    return sorted(
        accounts,
        key=lambda code: (code != main_currency, code not in CURRENCIES, -accounts[code], code),
    )
