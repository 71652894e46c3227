"""What the panel of a pull shows of the session of Link that it follows."""

from collections.abc import Sequence
from dataclasses import dataclass

from plaidapp import policy
from plaidapp.store import LinkResult, LinkSession, Pull
from plaidapp.store.base.types import now
from plaidapp.store.connections import link_results, link_sessions


@dataclass(frozen=True)
class LinkView:
    """`held` are connections that look like one that the person has."""

    pull: Pull
    session: LinkSession
    held: Sequence[LinkResult]

    @property
    def is_waiting(self) -> bool:
        """The pull waits for the person, who is at Plaid."""
        return self.pull.active and self.session.ended_at is None

    @property
    def is_back(self) -> bool:
        """The browser has just come back."""
        back = self.session.returned_at
        return back is not None and back + policy.LINK_RETURN_PATIENCE > now()

    @property
    def was_left(self) -> bool:
        """The person left, or did not come: nothing went wrong."""
        return self.has_failed and self.session.exit_code is None

    @property
    def has_failed(self) -> bool:
        """It failed for what happened at Plaid: doing the same again would change nothing."""
        return self.pull.error_code is not None and self.session.ended_at is not None


def of_pull(pull: Pull) -> LinkView | None:
    if not pull.facts.follows_link:
        return None
    session = link_sessions.of_pull(pull.id)
    return LinkView(pull, session, link_results.held(session.id)) if session else None
