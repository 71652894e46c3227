"""Take private words out of a text: the last line of defense of logs, and of what Plaid says.

Nothing private should come here in the first place. Names of persons have no pattern, so this
can't find them.
"""

import re
from collections.abc import Callable, Iterable

PATTERNS = {
    r"\b(access|public|link|user)-(?:sandbox|development|production)-[\w-]+": r"\1-removed",
    r"/hl/[\w-]+": "/hl/removed",  # the address of a session of Hosted Link
    r"/auth/(reset|email/confirm|mails/stop)/[\w.-]+": r"/auth/\1/removed",  # a link in a mail
    r"/finance/calendar/[^\s\"']+": "/finance/calendar/removed",  # what opens a calendar
    r"\beyJ[\w-]+\.[\w-]+\.[\w-]*": "[token]",  # a JWT
    r"\bgAAAA[\w-]{16,}=*": "[token]",  # of Fernet
    r"\b(Bearer|Basic)\s+[^\s\"']+": r"\1 [token]",
    r"://[^/\s@\"']*@": "://",  # the name and password in an address
    r"(?<=[\w/])\?[\w.~%-]+=[^\s\"')]*": "?...",  # what follows the path in an address
    r"(?<![\w.+%-])[\w.+%-]+@\w[\w-]*(?:\.[\w-]+)+": "[email]",
    r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b": "[number]",  # an IBAN
    r"(?<![\w-])\d{8,}(?![\w-])": "[number]",  # an account, or a card
    r"(?<![\w-])\d{4}(?:[ -]\d{4}){2,3}(?:[ -]\d{1,3})?(?![\w-])": "[number]",  # a card
    r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])": "[number]",  # a social security number
}
FREE_TEXT = re.compile(r'("(?:error|display)_message"\s*:\s*)"(?:[^"\\]|\\.)*"')
SHORTEST_SECRET = 6
"""Characters. A shorter one would be found in words that are no secret."""

_PATTERNS = [(re.compile(pattern), instead) for pattern, instead in PATTERNS.items()]


def redact(text: str) -> str:
    """Return `text` without tokens, email addresses, account numbers and the like."""
    for pattern, instead in _PATTERNS:
        text = pattern.sub(instead, text)
    return text


def redact_json(text: str) -> str:
    """As `redact`, and without Plaid's free text about an error: it may quote anything."""
    return redact(FREE_TEXT.sub(r'\1"removed"', text))


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """Return `redact`, which then takes these out as well, wherever they are."""
    known = sorted({each for each in secrets if len(each) >= SHORTEST_SECRET}, key=len)
    if not known:
        return redact
    any_of_them = re.compile("|".join(re.escape(each) for each in reversed(known)))
    return lambda text: redact(any_of_them.sub("[secret]", text))
