"""Names that a bank sends in capitals, in normal case: "UNITED AIRLINES" is "United Airlines".

Only for what a person reads. Searching, sorting, exports and JSON use the text as it came.
"""

import functools
import re
import unicodedata

LONGEST = 200
"""Longer texts are shown as they came."""
LONGEST_ALONE = 5
"""A single word of up to so many letters stays: BART, IKEA and USAA are written like this."""
AS_THEY_ARE = {
    *("ACH", "ATM", "CD", "ETF", "EU", "FX", "HSA", "ID", "II", "III", "IRA", "IRS", "IV"),
    *("IX", "LLC", "LLP", "NYC", "POS", "SEPA", "TV", "UK", "US", "USA", "USD", "USPS", "UPS"),
    *("VI", "VII", "VIII", "XI", "XII", "AAA", "AMC", "BP", "IKEA", "ING", "JPMORGAN", "REI"),
    *("UBS", "USAA"),
}
OWN_SPELLINGS = {
    word.upper(): word
    for word in (
        *("401k", "403b", "AliExpress", "DoorDash", "eBay", "FedEx", "GitHub", "GmbH", "GoFundMe"),
        *("iCloud", "iTunes", "LinkedIn", "OpenAI", "PayPal", "PlayStation", "QuickBooks"),
        *("SiriusXM", "SoFi", "TikTok", "TurboTax", "WeWork", "WhatsApp", "YouTube", "JPMorgan"),
    )
}
STATES = {
    *("AK", "AL", "AR", "AZ", "CA", "CO", "CT", "DC", "DE", "FL", "GA", "HI", "IA"),
    *("ID", "IL", "IN", "KS", "KY", "LA", "MA", "MD", "ME", "MI", "MN", "MO", "MS"),
    *("MT", "NC", "ND", "NE", "NH", "NJ", "NM", "NV", "NY", "OH", "OK", "OR", "PA"),
    *("RI", "SC", "SD", "TN", "TX", "UT", "VA", "VT", "WA", "WI", "WV", "WY"),
}
PLACE = re.compile(r"\s([A-Z]{2})(?:\s+\d{5}(?:-\d{4})?)?(?:\s+USA?)?$")
"""Where a text from a card's terminal has the state: "SEATTLE WA", "SEATTLE WA 98101"."""
LATIN = re.compile(r"[\x00-\u024f\u1e00-\u1eff\u2000-\u2bff]*")
SPACE = re.compile(r"(\s+)")
SEPARATOR = re.compile(r"([*&,:;()\[\]|_+<>=]+)")
ADDRESS = re.compile(
    r"[A-Z0-9-]+(\.[A-Z]{2,})*\.(COM|NET|ORG|IO|CO|US|UK|DE|FR|CA|TV|AI|APP)(/\S*)?"
)
ORDINAL = re.compile(r"\d+(ST|ND|RD|TH)")
NUMBERED = re.compile(r"(\d+)([A-Z]{4,})")
KEPT = re.compile(r"[A-Z]{1,3}&[A-Z]{1,3}|X{3,}")
"""AT&T, and hidden digits."""
PREFIXED = re.compile(r"([DLO]['’])([^\W\d_]{2,})")
CONSONANTS = re.compile(r"[BCDFGHJKLMNPQRSTVWXZ]{4,}")
"""Shorter ones are acronyms to titlecase: BMW, CVS, KFC."""


def in_normal_case(text: str) -> str:
    """Return the text as a person would write it, if all of it is in capitals.

    A text that has a small letter stays as it is, and so does one of another script.
    """
    if not text.isupper() or len(text) > LONGEST or not LATIN.fullmatch(text):
        return text
    if text.isalpha() and len(text) <= LONGEST_ALONE:
        return text
    place = PLACE.search(text)
    state = place[1] if place and place[1] in STATES else None
    words = [word if word == state else _word(word) for word in SPACE.split(text)]
    for end in (0, -1):  # a small word, such as "the"
        if words[end].islower():
            words[end] = words[end].capitalize()
    return "".join(words)


@functools.lru_cache(8192)
def _word(word: str) -> str:
    if not word.isupper():
        return word
    from titlecase import titlecase  # with `regex`, it takes 4 MB

    return unicodedata.normalize("NFC", titlecase(word, _special, False))


def _special(word: str, **_: object) -> str | None:
    """Return the word in its case, or None if it is like others: then titlecase decides."""
    if word.rstrip(".") in AS_THEY_ARE or KEPT.fullmatch(word):
        return word
    if word in OWN_SPELLINGS:
        return OWN_SPELLINGS[word]
    if ADDRESS.fullmatch(word) or CONSONANTS.fullmatch(word):
        return word.capitalize()
    parts = SEPARATOR.split(word)  # every second one is a separator
    if len(parts) > 1:
        parts[::2] = map(_word, parts[::2])
        return "".join(parts)
    return _with_digits(word) or _with_prefix(word)


def _with_digits(word: str) -> str | None:
    """Ordinals and names: 3rd, 1Password. Other numbers stay as the bank wrote them."""
    if not any(map(str.isdigit, word)) or "-" in word or "/" in word:
        return None
    if ORDINAL.fullmatch(word):
        return word.lower()
    if found := NUMBERED.fullmatch(word):
        return found[1] + found[2].capitalize()
    return word


def _with_prefix(word: str) -> str | None:
    """O'Reilly, L'Oréal, D'Angelo."""
    found = PREFIXED.fullmatch(word)
    return found[1] + found[2].capitalize() if found else None
