"""The two versions of Plaid's personal finance categories. Rows are stored with the second.

Plaid renamed three detailed categories. The third, of loan payouts, is on no row here.
https://plaid.com/docs/transactions/pfc-migration/
"""

from typing import Literal

Version = Literal["v1", "v2"]
_FORMER = {"INCOME_SALARY": "INCOME_WAGES", "INCOME_OTHER": "INCOME_OTHER_INCOME"}
_CHANGES = (
    ('"version":"v2"', '"version":"v1"'),
    *((f'"detailed":"{v2}"', f'"detailed":"{v1}"') for v2, v1 in _FORMER.items()),
)


def in_version(body: str, version: Version) -> str:
    """Return a stored row's JSON with its category in this version.

    No row is decoded, so pages are fast. The quotes keep it from changing any other text.
    """
    if version == "v1":
        for v2, v1 in _CHANGES:
            body = body.replace(v2, v1)
    return body
