"""What a page says of a connection: one sentence, one color and one button for each standing.

The overview, the connections, the banner at the top of a page and accounts.json all have it from
here.
"""

from dataclasses import dataclass

from markupsafe import Markup

from plaidapp.store import Item

from . import standing as standings
from .blueprint import blueprint
from .standing import standing
from .standing_sentences import SENTENCES, is_ahead

SYNC, LOG_IN, CHOOSE_ACCOUNTS, CONNECT = "sync", "log_in", "choose_accounts", "connect"
"""The buttons. CONNECT leads to where a bank is connected, because the old connection is over."""
GOOD, WARN, BAD, QUIET = "good", "warn", "bad", ""
"""The colors."""

_LOOKS = {
    standings.LOGIN_REQUIRED: (WARN, LOG_IN),
    standings.REVOKED: (WARN, LOG_IN),
    standings.ENDED: (BAD, CONNECT),
    standings.NO_ACCOUNTS: (WARN, CHOOSE_ACCOUNTS),
    standings.EXPIRING: (WARN, LOG_IN),
    standings.NEW_ACCOUNTS: (QUIET, CHOOSE_ACCOUNTS),
    standings.ERROR: (BAD, SYNC),
    standings.OPERATOR: (BAD, None),
    standings.NOT_SUPPORTED: (BAD, None),
    standings.RATE_LIMITED: (WARN, None),
    standings.BANK_DOWN: (WARN, SYNC),
    standings.FAILING: (WARN, SYNC),
    standings.CONNECTING: (QUIET, SYNC),
    standings.IMPORTING: (QUIET, SYNC),
    standings.SILENT: (WARN, SYNC),
    standings.OUTDATED: (WARN, SYNC),
    standings.WITHOUT_ROWS: (QUIET, SYNC),
    standings.UPDATING: (QUIET, SYNC),
    standings.CURRENT: (GOOD, SYNC),
    standings.DISCONNECTING: (QUIET, None),
    standings.DISCONNECTED: (QUIET, CONNECT),
    standings.REPLACED: (QUIET, None),
}


@dataclass(frozen=True)
class Line:
    """`headline` is a sentence that says enough for a short list. `rest` is what else to know.

    `button` is one of the constants above, or None where nothing that the person does here helps.
    """

    standing: str
    headline: Markup
    rest: Markup
    color: str
    button: str | None

    @property
    def text(self) -> str:
        """All of it, without the markup of its times."""
        return Markup(" ").join((self.headline, self.rest)).striptags()


@blueprint.app_template_filter()
def line(item: Item) -> Line:
    kind = standing(item)
    color, button = _LOOKS[kind]
    if kind == standings.RATE_LIMITED and not is_ahead(item.failing_until):
        button = SYNC
    headline, *rest = SENTENCES[kind](item)
    return Line(kind, headline, Markup(" ").join(part for part in rest if part), color, button)
