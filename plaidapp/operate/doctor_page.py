"""The doctor's page: runs all checks when the button is pressed."""

import threading

from flask import current_app, render_template, url_for
from flask_babel import gettext
from werkzeug import Response

from plaidapp import policy
from plaidapp.auth.confirmation import needs_confirmation
from plaidapp.extensions import db
from plaidapp.htmx import is_htmx
from plaidapp.store.people.activity import Kind

from . import acts
from .blueprint import blueprint
from .doctor import checkup

_running = threading.Lock()
"""The checks hold a thread of this process for seconds, so one operator has to wait for another."""


@blueprint.get("/doctor")
def doctor() -> str:
    return render_template("operate/doctor.html", results=None)


@blueprint.post("/doctor")
@needs_confirmation
def run_doctor() -> str | Response:
    if not _running.acquire(blocking=False):
        return acts.refuse(gettext("The checks are running already."), url_for("operate.doctor"))
    try:
        acts.note("doctor", Kind.DOCTOR_RUN)
        db.session.commit()
        app = current_app._get_current_object()  # type: ignore[attr-defined] # for other threads
        results = checkup.run(app, policy.DOCTOR_DEADLINE)
    finally:
        _running.release()
    page = "operate/_results.html" if is_htmx() else "operate/doctor.html"
    return render_template(page, results=sorted(results, key=lambda each: each.ok is not False))
