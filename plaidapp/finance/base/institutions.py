"""Plaid's own test institutions: https://plaid.com/docs/sandbox/institutions/"""

NAMES = {
    "ins_109508": "First Platypus Bank",
    "ins_109509": "First Gingham Credit Union",
    "ins_109510": "Tattersall Federal Credit Union",
    "ins_109511": "Tartan Bank",
    "ins_109512": "Houndstooth Bank",
    "ins_1": "Bank of America",
}
"""The name of each institution by its id, in the order in which a form offers them."""
