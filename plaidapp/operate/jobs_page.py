"""What the workers and the clock can do: kinds of pull, and duties."""

from flask import render_template

from plaidapp.jobs import clock
from plaidapp.jobs.pull_job import REGISTERED
from plaidapp.store.health import duties
from plaidapp.store.pulls import kinds, overview

from .blueprint import blueprint


@blueprint.get("/jobs")
def jobs() -> str:
    return render_template(
        "operate/jobs.html",
        functions=sorted(REGISTERED),
        kinds=kinds.KINDS.values(),
        open_pulls=overview.open_by_kind(),
        duties=[(duty.__name__, (duty.__doc__ or "").split("\n\n")[0]) for duty in clock.DUTIES],
        done={duty.name: duty for duty in duties.every()},
    )
