"""The inbox of Plaid's webhooks, and *Replay*."""

from flask import abort, render_template, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug import Response

from plaidapp.auth.access import LARGEST_BIG_ID
from plaidapp.auth.confirmation import needs_confirmation
from plaidapp.extensions import db
from plaidapp.store.people.activity import Kind
from plaidapp.store.webhooks import deliveries
from plaidapp.webhooks.replay import Refusal, replay

from . import acts, keyset
from .blueprint import blueprint

REFUSALS = {
    Refusal.UNKNOWN: lazy_gettext("This app does nothing with webhooks of this kind."),
    Refusal.NO_BODY: lazy_gettext("The body of this webhook has been deleted."),
    Refusal.GONE: lazy_gettext("What this webhook is about has ended."),
    Refusal.OLD: lazy_gettext(
        "The connection has said something newer since. Replayed, this webhook would bring back a"
        " state that is over."
    ),
}


@blueprint.get("/webhooks")
def webhooks() -> str:
    page = keyset.page(deliveries.latest)
    waiting = deliveries.waiting([webhook.id for webhook in page.rows])
    return render_template("operate/webhooks.html", page=page, waiting=waiting)


@blueprint.post("/webhooks/<int:webhook_id>/replay")
@needs_confirmation
def replay_webhook(webhook_id: int) -> str | Response:
    webhook = deliveries.by_id(webhook_id) if webhook_id <= LARGEST_BIG_ID else None
    if webhook is None:
        abort(404)
    if refusal := replay(webhook):
        return acts.refuse(str(REFUSALS[refusal]), url_for("operate.webhooks"))
    acts.note("replay", Kind.WEBHOOK_REPLAYED, webhook_id)
    db.session.commit()
    sentence = gettext("Webhook %(id)s is handled again in a moment.", id=webhook_id)
    return acts.tell(
        sentence, f'<p class="done small dim">{sentence}</p>', url_for("operate.webhooks")
    )
