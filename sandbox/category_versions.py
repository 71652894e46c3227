"""The two versions of Plaid's personal finance categories. Rows are stored with the first.

Plaid renamed three detailed categories. The third, of loan payouts, is on no row here.
https://plaid.com/docs/transactions/pfc-migration/
"""

from typing import Literal

Version = Literal["v1", "v2"]
_RENAMED = {"INCOME_WAGES": "INCOME_SALARY", "INCOME_OTHER_INCOME": "INCOME_OTHER"}
_CHANGES = (
    ('"version":"v1"', '"version":"v2"'),
    *((f'"detailed":"{v1}"', f'"detailed":"{v2}"') for v1, v2 in _RENAMED.items()),
)


def in_version(body: str, version: Version) -> str:
    """Return a stored row's JSON with its category in this version.

    No row is decoded, so pages are fast. The quotes keep it from changing any other text.
    """
    if version == "v2":
        for v1, v2 in _CHANGES:
            body = body.replace(v1, v2)
    return body
