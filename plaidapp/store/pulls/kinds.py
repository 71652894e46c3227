"""The kinds of pull, one entry each, with the facts that queries, jobs and pages need.

A new kind is an entry here and a function in `jobs.run.WORK`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from plaidapp.texts import gettext_noop

LINK = "link"
ACCOUNTS = "accounts"
TRANSACTIONS = "transactions"
TOTAL = "total"
REPAIR = "repair"
CHECK = "check"
RECURRING = "recurring"
REFRESH = "refresh"
CONNECT = "connect"
RECONNECT = "reconnect"
LOOK = "look"
STATUS = "status"
REMOVE = "remove"
DISCONNECT = "disconnect"
ERASE = "erase"
NO_TRANSACTIONS = gettext_noop("This bank provides no transactions")


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What pulls of this kind do at each of their Items.

    `connects`: the pull begins without an Item and creates it.
    `follows_link`: it begins by waiting for the person, who is at Plaid.
    `syncs`: it reads transactions, and syncs again if a request came in while it ran.
    `takes_requests`: a new request to sync can rely on a pull of this kind that is under way.
    `reads_balances`: once it is done, the balances are up to date.
    `lists_rows`: the person asked to see transactions, not only to count them.
    `runs_on_ended`: it has work to do at an Item that was replaced or disconnected.
    `disconnects`: it ends a connection because the person wants that.
    `checks`: it compares what is stored with the bank, at last.
    `only_reads`: it changes nothing at Plaid, so it may be done again if what it stored is lost.
    `persists`: it is tried until it succeeds, less and less often.
    `done_text`: what the sync history says when it is done; None says what changed.
    `refused_text`: what it says if the bank refuses the product. Without one, it has made do.
    """

    name: str
    connects: bool = False
    follows_link: bool = False
    syncs: bool = False
    takes_requests: bool = False
    reads_balances: bool = False
    lists_rows: bool = False
    runs_on_ended: bool = False
    disconnects: bool = False
    checks: bool = False
    only_reads: bool = False
    persists: bool = False
    done_text: str | None = None
    refused_text: str | None = None

    @property
    def begins_anew(self) -> bool:
        """Does a click while it is under way want all of it once more? A sync only goes on."""
        return self.checks or not self.syncs

    @property
    def only_balances(self) -> bool:
        return self.reads_balances and not self.syncs


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            name=LINK,
            connects=True,
            syncs=True,
            takes_requests=True,
            reads_balances=True,
            refused_text=NO_TRANSACTIONS,
        ),
        Kind(
            name=CONNECT,
            connects=True,
            follows_link=True,
            syncs=True,
            takes_requests=True,
            reads_balances=True,
            refused_text=NO_TRANSACTIONS,
        ),
        Kind(  # takes no requests: it may wait for the person for half an hour
            name=RECONNECT,
            follows_link=True,
            syncs=True,
            reads_balances=True,
            refused_text=NO_TRANSACTIONS,
        ),
        Kind(
            name=STATUS,
            only_reads=True,
            done_text=gettext_noop("Asked Plaid when the bank last delivered data"),
        ),
        Kind(name=LOOK),  # has no Items: looks whether a link was used after its pull had ended
        Kind(name=ACCOUNTS, reads_balances=True, only_reads=True),
        Kind(
            name=TRANSACTIONS,
            syncs=True,
            takes_requests=True,
            lists_rows=True,
            only_reads=True,
            refused_text=NO_TRANSACTIONS,
        ),
        Kind(
            name=TOTAL,
            syncs=True,
            takes_requests=True,
            only_reads=True,
            refused_text=NO_TRANSACTIONS,
        ),
        Kind(  # reads the Item from the beginning
            name=REPAIR,
            syncs=True,
            reads_balances=True,
            checks=True,
            only_reads=True,
            refused_text=NO_TRANSACTIONS,
        ),
        Kind(name=CHECK, checks=True, only_reads=True),
        Kind(
            name=RECURRING,
            only_reads=True,
            done_text=gettext_noop("Recurring payments checked"),
            refused_text=gettext_noop("This bank does not provide recurring payments"),
        ),
        Kind(  # has Plaid look for new transactions at the bank
            name=REFRESH,
            done_text=gettext_noop("Asked the bank for new transactions"),
            refused_text=gettext_noop("This bank can’t be asked on demand"),
        ),
        Kind(  # at Plaid, after another Item replaced it
            name=REMOVE,
            runs_on_ended=True,
            persists=True,
            done_text=gettext_noop("Closed at the bank because you connected it again"),
        ),
        Kind(  # by the person
            name=DISCONNECT,
            disconnects=True,
            runs_on_ended=True,
            persists=True,
            done_text=gettext_noop("Disconnected"),
        ),
        # has no Items: deletes everything of a person, and itself
        Kind(name=ERASE, runs_on_ended=True, persists=True),
    )
}


def of(name: str) -> Kind:
    """Raises ValueError for a kind that does not exist."""
    if name not in KINDS:
        raise ValueError(f"There is no kind of pull named {name!r}.")
    return KINDS[name]


def names(fact: Callable[[Kind], bool]) -> list[str]:
    """Return the names of the kinds for which `fact` is true, for use in queries."""
    return [kind.name for kind in KINDS.values() if fact(kind)]
