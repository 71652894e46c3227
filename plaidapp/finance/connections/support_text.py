"""What Plaid's support asks for about a connection, as text to copy. There is no token in it.

It is in English, with times in UTC, because it is for Plaid.
https://plaid.com/docs/account/activity/#troubleshooting-with-item-debugger
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from plaidapp.store import Item, LinkSession, PullItem, Webhook

MOST_REQUESTS = 20


def write(
    item: Item,
    history: Sequence[PullItem],
    webhooks: Sequence[Webhook],
    sessions: Sequence[LinkSession],
    environment: str,
) -> str:
    """Return the text. `history`, `webhooks` and `sessions` are newest first."""
    parts = [
        ("Item id", item.plaid_item_id),
        ("Institution id", item.institution_id),
        ("Institution", item.institution_name),
        ("Environment", environment),
        ("Connected", _time(item.created_at)),
        ("State", " ".join(filter(None, (item.state, item.error_code)))),
        ("Transactions update status", item.update_status),
        ("Last successful /transactions/sync", _time(item.synced_at)),
        ("Last /transactions/refresh", _time(item.refreshed_at)),
        ("Last successful update (/item/get)", _time(item.bank_updated_at)),
        ("Last failed update (/item/get)", _time(item.bank_failed_at)),
        *((f"Webhook {hook.code}", _time(hook.received_at)) for hook in webhooks[:1]),
    ]
    lines = [f"{name}: {value}" for name, value in parts if value]
    lines += _section("Requests (UTC, request id, kind, error)", _requests(history))
    lines += _section("Link (UTC, link session id, request id, exit)", _links(sessions))
    return "\n".join(lines)


def _section(title: str, rows: Iterator[str]) -> list[str]:
    listed = list(rows)
    return ["", title, *listed] if listed else []


def _requests(history: Sequence[PullItem]) -> Iterator[str]:
    named = [part for part in history if part.request_id]
    for part in named[:MOST_REQUESTS]:
        when = part.pull.ended_at or part.pull.started_at or part.pull.created_at
        error = part.error_code or part.refusal
        yield _row(_time(when), part.request_id, part.pull.kind, error)


def _links(sessions: Sequence[LinkSession]) -> Iterator[str]:
    for each in sessions:
        if each.link_session_id or each.request_id:
            exit_ = each.exit_code or each.exit_status
            yield _row(_time(each.created_at), each.link_session_id, each.request_id, exit_)


def _row(*cells: str | None) -> str:
    return "  ".join(filter(None, cells))


def _time(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None
