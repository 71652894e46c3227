"""Which amounts can be kept exactly, and how the noise of binary floats is told from digits.

An amount has up to eight decimals and is no larger than LARGEST. Any other amount is refused: it is
never rounded or capped. Only noise is rounded off: a bank that computes with binary floats sends
19.989999999999998 for 19.99.
"""

import decimal
from decimal import Decimal

from plaidapp.texts import gettext_noop

DECIMALS = 8
UNIT = Decimal(1).scaleb(-DECIMALS)
LARGEST = Decimal(92_000_000_000)
"""The largest amount, positive or negative: amounts are stored as 10^-8 units in 64 bits."""
FLOAT_DIGITS = 15
"""Significant digits that a binary float of 64 bits carries for certain."""
NOISE_DECIMALS = 11
"""Decimals that are certain in the difference of two floats, which has fewer certain digits."""
ZEROS = 3
"""How many zeros before other digits show that those are noise."""

TOO_PRECISE = gettext_noop("An amount has more than eight decimals: %(reason)s")
TOO_LARGE = gettext_noop("An amount is too large: %(reason)s")
NOT_A_NUMBER = gettext_noop("An amount is not a number: %(reason)s")

_SMALLEST = -LARGEST
_quantize = decimal.Context(traps=[decimal.Inexact, decimal.InvalidOperation]).quantize


class AmountError(ValueError):
    """The amount can't be kept. `sentence` says why, with a place for the %(reason)s."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


def kept(amount: Decimal) -> Decimal:
    """Return the amount without the noise of binary floats. Raises AmountError."""
    _check_range(amount)
    try:
        _quantize(amount, UNIT)
    except decimal.Inexact:
        return _without_noise(amount)
    return amount


def rounded(average: Decimal) -> Decimal:
    """Return an average rounded half to even, as it has no exact digits. Raises AmountError."""
    _check_range(average)
    return round(average, DECIMALS)


def _check_range(amount: Decimal) -> None:
    if not amount.is_finite():
        raise AmountError(NOT_A_NUMBER)
    if not _SMALLEST <= amount <= LARGEST:
        raise AmountError(TOO_LARGE)


def _without_noise(amount: Decimal) -> Decimal:
    """Round off the noise of an amount with more than eight decimals. Raises AmountError.

    Digits are noise if there are as many as a float carries, and the last of those that are certain
    are zeros. Other digits are the bank's.
    """
    certain = min(NOISE_DECIMALS, FLOAT_DIGITS - 1 - amount.adjusted())
    short = round(amount, certain - ZEROS)
    if len(amount.as_tuple().digits) < FLOAT_DIGITS or round(amount, certain) != short:
        raise AmountError(TOO_PRECISE)
    return short
