"""Which faults are in force: the rules, what each has done so far, and the URL that changes them.

What a fault does to a call is in `sandbox.faults`.
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

CONTROL_PATH = "/_control/faults"

# An hour is longer than any client waits, and more would overflow what a lock can be asked to wait.
Seconds = Annotated[float, Meta(ge=0, le=3600)]


class Fault(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"
):
    """What every rule says: which calls it hits. The nth call on a path is counted from one."""

    path: Annotated[str, Meta(pattern=r"^(\*|/.*)$")]
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
    """The call goes on after `seconds`."""

    seconds: Seconds


class Hang(Fault, frozen=True, tag="hang"):
    """The connection is held for `seconds`, then dropped without an answer."""

    seconds: Seconds


class Drip(Fault, frozen=True, tag="drip"):
    """The real answer, its body in small pieces spread over `seconds`."""

    seconds: Seconds


class Truncate(Fault, frozen=True, tag="truncate"):
    """Half of the real body under the Content-Length of the whole."""


class Garbage(Fault, frozen=True, tag="garbage"):
    """200 with a page that is neither JSON nor UTF-8."""


class WrongTypes(Fault, frozen=True, tag="wrong_types"):
    """The real JSON object with a value of another type in each of its fields."""


class MissingField(Fault, frozen=True, tag="missing_field"):
    """The real JSON object without its top-level `field`."""

    field: str


class Reset(Fault, frozen=True, tag="reset"):
    """The connection is dropped without an answer."""


class RateLimit(Fault, frozen=True, tag="rate_limit"):
    """429 to what goes beyond `limit` calls in any `seconds`, counted for each path by itself.

    Plaid's own figures: 50 a minute for an Item and 2,500 a minute for a client on
    /transactions/sync, 15 and 15,000 on /accounts/get, in Production
    (https://plaid.com/docs/errors/rate-limit-exceeded/).
    """

    limit: Annotated[int, Meta(ge=0)]
    seconds: Seconds


class Mutate(Fault, frozen=True, tag="mutate"):
    """The Item changes before the call goes on; `after=1, times=1` is between pages one and two."""


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


class _Tally:
    """A rule and what it has seen. Not locked: the Rulebook that owns it is."""

    def __init__(self, rule: Rule, seed: str, clock: Callable[[], float]) -> None:
        self.rule = rule
        self.fired = 0
        self._seen = 0
        self._random = random.Random(seed)
        self._clock = clock
        self._admitted: dict[str, deque[float]] = {}

    def wants(self, path: str) -> bool:
        """Counts a call and tells whether the rule is to hit it."""
        rule = self.rule
        if rule.path not in ("*", path):
            return False
        self._seen += 1
        if self._seen <= rule.after or (rule.times is not None and self.fired >= rule.times):
            return False
        if isinstance(rule, RateLimit) and self._admits(rule, path):
            return False
        return self._random.random() < rule.probability

    def _admits(self, rule: RateLimit, path: str) -> bool:
        now = self._clock()
        admitted = self._admitted.setdefault(path, deque())
        while admitted and admitted[0] <= now - rule.seconds:
            admitted.popleft()
        if len(admitted) >= rule.limit:
            return False
        admitted.append(now)
        return True


class Rulebook:
    """The rules in force, and the calls seen. Every method may be called from any thread.

    Each rule rolls dice of its own, from `seed` and its place in the list, so that which of its
    calls it hits does not depend on the rules beside it.
    """

    def __init__(self, seed: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self._seed = seed
        self._clock = clock
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._tallies: list[_Tally] = []
        self._released = threading.Event()

    def replace(self, rules: list[Rule]) -> None:
        """Puts `rules` in force, from zero, and lets go the calls that the old ones hold."""
        tallies = [_Tally(r, f"{self._seed}:{i}", self._clock) for i, r in enumerate(rules)]
        with self._lock:
            self._tallies = tallies
            self._released.set()
            self._released = threading.Event()

    def clear(self) -> None:
        """No rules, and no calls seen."""
        self.replace([])
        with self._lock:
            self._calls.clear()

    def claim(self, path: str) -> tuple[list[Rule], threading.Event]:
        """Counts a call to `path`; returns the rules that hit it, and the event that frees it.

        Rules are asked in order. Delays and mutations add up; the first rule of another kind
        decides the answer, and those below it count the call as seen, not as hit.
        """
        hits: list[Rule] = []
        decided = False
        with self._lock:
            self._calls[path] += 1
            for tally in self._tallies:
                if tally.wants(path) and not decided:
                    tally.fired += 1
                    hits.append(tally.rule)
                    decided = not isinstance(tally.rule, Delay | Mutate)
            return hits, self._released

    def report(self) -> dict[str, object]:
        """The rules with how often each has hit, and the calls seen by path, hit or not."""
        with self._lock:
            rules = [{"rule": tally.rule, "fired": tally.fired} for tally in self._tallies]
            return {"rules": rules, "calls": dict(self._calls)}


def answer_control(rulebook: Rulebook, request: Request, *, can_mutate: bool) -> Response:
    """GET shows the rules, POST replaces them, DELETE forgets them and the calls seen."""
    if request.method == "POST":
        try:
            rules = msgspec.json.decode(request.get_data(), type=list[Rule])
        except ValueError as error:  # msgspec's own errors, and UnicodeDecodeError beside them
            return _refusal(str(error))
        if not can_mutate and any(isinstance(rule, Mutate) for rule in rules):
            return _refusal("This sandbox was given nothing to call for kind 'mutate'")
        rulebook.replace(rules)
    elif request.method == "DELETE":
        rulebook.clear()
    elif request.method != "GET":
        return Response(status=405, headers={"Allow": "GET, POST, DELETE"})
    return json_response(rulebook.report())


def json_response(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, content_type="application/json")


def _refusal(why: str) -> Response:
    return json_response({"error": f"The rules stay as they were. {why}."}, 400)
