"""What is counted and timed. Names and units are as Prometheus recommends.

Labels have few values, and never an id, a name or an amount: each value is a series of its own that
Prometheus keeps, and operators and their tools read them.
https://prometheus.io/docs/practices/naming/
"""

from bisect import bisect_left
from dataclasses import dataclass

from . import pending
from .pending import SEPARATOR

ADDED, MODIFIED, REMOVED = "added", "modified", "removed"
CHANGES = (ADDED, MODIFIED, REMOVED)
OTHER = "other"
"""The label of a value that is not one of those that are known."""
SHORT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)
"""Seconds, for what a person or Plaid waits for."""
LONG = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
"""Seconds, for work that may wait in a queue, or take long."""
SUM = "sum"
"""The field of a histogram that has the sum; the others have the number in each bucket."""


@dataclass(frozen=True)
class Counter:
    """`name` is without the _total that Prometheus sees."""

    name: str
    help: str
    labels: tuple[str, ...]

    def add(self, *values: str, amount: float = 1.0) -> None:
        """Count. There is a value for each label."""
        pending.add(SEPARATOR.join((self.name, *values)), amount)


@dataclass(frozen=True)
class Histogram:
    name: str
    help: str
    labels: tuple[str, ...]
    bounds: tuple[float, ...]
    """The upper ends of the buckets, each included. Another bucket has what is above them all. They
    change only together with the name: the sums in Redis outlive an upgrade."""

    def observe(self, seconds: float, *values: str) -> None:
        series = SEPARATOR.join((self.name, *values, ""))
        pending.add(f"{series}{bisect_left(self.bounds, seconds)}", 1.0)
        pending.add(series + SUM, seconds)


REQUESTS = Counter(
    "plaidapp_http_requests",
    "Requests that were answered, by route and class of status, such as 2xx. The route is none if"
    " the address leads nowhere, and refused if the server did not ask the app.",
    ("route", "status"),
)
REQUEST_SECONDS = Histogram(
    "plaidapp_http_request_duration_seconds",
    "Time until the answer of a request began, including what a poll waits for a change.",
    ("route",),
    SHORT,
)
JOBS = Counter(
    "plaidapp_jobs",
    "Attempts of workers at a pull: done, queued (it goes on later), failed, crashed, or lost to"
    " another worker.",
    ("kind", "outcome"),
)
JOB_WAIT = Histogram(
    "plaidapp_job_wait_seconds",
    "Time from when a pull was due until a worker took it, by who asked for it.",
    ("kind", "asked_by"),
    LONG,
)
JOB_SECONDS = Histogram(
    "plaidapp_job_duration_seconds", "Time that a worker spent on a pull.", ("kind",), LONG
)
PLAID_REQUESTS = Counter("plaidapp_plaid_requests", "Calls to Plaid.", ("endpoint",))
PLAID_ERRORS = Counter(
    "plaidapp_plaid_errors",
    "Calls to Plaid that failed, by Plaid's error code or one of ours; OTHER is any other.",
    ("endpoint", "code"),
)
PLAID_SECONDS = Histogram(
    "plaidapp_plaid_request_duration_seconds", "Time of a call to Plaid.", ("endpoint",), SHORT
)
PLAID_BILLED = Counter(
    "plaidapp_plaid_billed_requests",
    "Calls that succeeded and that Plaid bills one by one, by its product.",
    ("endpoint", "product"),
)
WEBHOOKS = Counter(
    "plaidapp_webhooks",
    "Webhooks by what became of them: kept, repeated, ignored (of nothing that is stored),"
    " refused (not signed by Plaid), or unavailable (their key could not be read).",
    ("code", "outcome"),
)
WEBHOOK_DELAY = Histogram(
    "plaidapp_webhook_delay_seconds",
    "Time from when Plaid signed a webhook, in whole seconds, until it was stored and answered.",
    (),
    LONG,
)
ROWS = Counter("plaidapp_rows_changed", "Rows of transactions that syncs have stored.", ("change",))
CPU_SECONDS = Counter(
    "plaidapp_process_cpu_seconds", "Processor time of processes, by role.", ("role",)
)
ALL = (
    *(REQUESTS, REQUEST_SECONDS, JOBS, JOB_WAIT, JOB_SECONDS),
    *(PLAID_REQUESTS, PLAID_ERRORS, PLAID_SECONDS, PLAID_BILLED),
    *(WEBHOOKS, WEBHOOK_DELAY, ROWS, CPU_SECONDS),
)
