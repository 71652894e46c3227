"""Fault rules: which calls fail, how often each rule has fired, and the URL that sets the rules.

`sandbox.faults` applies them to calls.
"""

import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Annotated

import msgspec
from msgspec import Meta
from werkzeug.wrappers import Request, Response

from sandbox.control import guard

CONTROL_PATH = guard.PREFIX + "faults"

# No client waits for an hour, and far longer waits would overflow a lock's timeout.
Seconds = Annotated[float, Meta(ge=0, le=3600)]


class Fault(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"
):
    """The fields of every rule, which choose the calls that it hits.

    `path` is one path or, with a star at its end like `/hl/*`, all that begin so. `item_id` limits
    the rule to calls for one Item. The rule skips the first `after` calls, then hits at most
    `times` calls, each with `probability`.
    """

    path: Annotated[str, Meta(pattern=r"^(\*|/.*)$")]
    item_id: str | None = None
    times: Annotated[int, Meta(ge=1)] | None = None
    after: Annotated[int, Meta(ge=0)] = 0
    probability: Annotated[float, Meta(ge=0, le=1)] = 1.0


class Error(Fault, frozen=True, tag="error"):
    """Plaid's error object with any status (https://plaid.com/docs/errors/)."""

    status: Annotated[int, Meta(ge=200, le=599)]
    error_type: str
    error_code: str
    error_message: str = "a fault that the sandbox was told to inject"


class Delay(Fault, frozen=True, tag="delay"):
    """Continue the call after `seconds`."""

    seconds: Seconds


class Hang(Fault, frozen=True, tag="hang"):
    """Keep the connection open for `seconds`, then drop it without a response."""

    seconds: Seconds


class Drip(Fault, frozen=True, tag="drip"):
    """Send the real response body in small pieces over `seconds`."""

    seconds: Seconds


class Truncate(Fault, frozen=True, tag="truncate"):
    """Send half of the real body with the Content-Length of the whole."""


class Garbage(Fault, frozen=True, tag="garbage"):
    """Send status 200 with a page that is neither JSON nor UTF-8."""


class WrongTypes(Fault, frozen=True, tag="wrong_types"):
    """Send the real JSON object, but change the type of every value."""


class MissingField(Fault, frozen=True, tag="missing_field"):
    """Send the real JSON object without its top-level `field`."""

    field: str


class Reset(Fault, frozen=True, tag="reset"):
    """Drop the connection without a response."""


class RateLimit(Fault, frozen=True, tag="rate_limit"):
    """Send 429 for calls beyond `limit` in any `seconds`, counted separately for each path.

    With `per_item`, they are counted separately for each Item too, and other calls are not.

    Plaid's limits: https://plaid.com/docs/errors/rate-limit-exceeded/
    """

    limit: Annotated[int, Meta(ge=0)]
    seconds: Seconds
    per_item: bool = False


class Mutate(Fault, frozen=True, tag="mutate"):
    """Change the Item, then continue the call.

    With `after=1, times=1`, the Item changes between pages one and two.
    """


Rule = (
    Error
    | Delay
    | Hang
    | Drip
    | Truncate
    | Garbage
    | WrongTypes
    | MissingField
    | Reset
    | RateLimit
    | Mutate
)


class _RuleState:
    """A rule and its counters. Not thread-safe: the Rulebook that owns it locks."""

    def __init__(self, rule: Rule, seed: str, clock: Callable[[], float]) -> None:
        self.rule = rule
        self.fired = 0
        self._seen = 0
        self._random = random.Random(seed)
        self._clock = clock
        self._admitted: dict[tuple[str, str | None], deque[float]] = {}

    def count_and_match(self, path: str, item_id: str | None) -> bool:
        """Count a call, and return whether the rule hits it."""
        rule = self.rule
        if not _covers(rule.path, path) or rule.item_id not in (None, item_id):
            return False
        self._seen += 1
        if self._seen <= rule.after or (rule.times is not None and self.fired >= rule.times):
            return False
        if isinstance(rule, RateLimit) and self._admits(rule, path, item_id):
            return False
        return self._random.random() < rule.probability

    def _admits(self, rule: RateLimit, path: str, item_id: str | None) -> bool:
        if rule.per_item and item_id is None:
            return True
        now, counted = self._clock(), (path, item_id if rule.per_item else None)
        admitted = self._admitted.setdefault(counted, deque())
        while admitted and admitted[0] <= now - rule.seconds:
            admitted.popleft()
        if len(admitted) >= rule.limit:
            return False
        admitted.append(now)
        return True


def _covers(pattern: str, path: str) -> bool:
    """Whether a rule's `path` means this path."""
    return path == pattern or (pattern.endswith("*") and path.startswith(pattern[:-1]))


class Rulebook:
    """The active rules and the number of calls by path. Thread-safe.

    Each rule has its own random numbers, from `seed` and its place in the list, so the calls that
    it hits don't depend on the other rules.
    """

    def __init__(self, seed: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seed = seed
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._states: list[_RuleState] = []
        self._released = threading.Event()

    def replace(self, rules: list[Rule]) -> None:
        """Activate `rules` with counters at zero, and release calls that old rules are delaying."""
        states = [_RuleState(r, f"{self._seed}:{i}", self._clock) for i, r in enumerate(rules)]
        with self._lock:
            self._states = states
            self._released.set()
            self._released = threading.Event()

    def clear(self) -> None:
        """Remove all rules and forget all calls."""
        self.replace([])
        with self._lock:
            self._calls.clear()

    def names_items(self) -> bool:
        """True if a rule is about Items, so `record_call` needs the Item of the call."""
        with self._lock:
            return any(
                state.rule.item_id or getattr(state.rule, "per_item", False)
                for state in self._states
            )

    def record_call(
        self, path: str, item_id: str | None = None
    ) -> tuple[list[Rule], threading.Event]:
        """Count a call to `path`. Return the rules that hit it, and the event that ends its delay.

        Rules apply in order. Several delays and mutations can hit one call; the first rule of
        another kind decides the response. Later rules count the call, but don't fire.
        """
        hits: list[Rule] = []
        response_decided = False
        with self._lock:
            self._calls[path] += 1
            for state in self._states:
                if state.count_and_match(path, item_id) and not response_decided:
                    state.fired += 1
                    hits.append(state.rule)
                    response_decided = not isinstance(state.rule, Delay | Mutate)
            return hits, self._released

    def report(self) -> dict[str, object]:
        """Return the rules with how often each has fired, and the number of all calls by path."""
        with self._lock:
            rules = [{"rule": state.rule, "fired": state.fired} for state in self._states]
            return {"rules": rules, "calls": dict(self._calls)}


def answer_control_request(rulebook: Rulebook, request: Request, *, can_mutate: bool) -> Response:
    """Serve the control URL: GET shows the rules and calls, POST sets rules, DELETE clears both."""
    if refused := guard.refusal(request):
        return refused
    if request.method == "POST":
        try:
            rules = msgspec.json.decode(request.get_data(), type=list[Rule])
        except ValueError as error:  # msgspec's errors and UnicodeDecodeError
            return _bad_request(str(error))
        if not can_mutate and any(isinstance(rule, Mutate) for rule in rules):
            return _bad_request("This sandbox has no function to call for kind 'mutate'")
        rulebook.replace(rules)
    elif request.method == "DELETE":
        rulebook.clear()
    elif request.method != "GET":
        return Response(status=405, headers={"Allow": "GET, POST, DELETE"})
    return guard.json_response(rulebook.report())


def _bad_request(why: str) -> Response:
    return guard.json_response({"error": f"The rules are unchanged. {why}."}, 400)
