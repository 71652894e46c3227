"""Walks through the sandbox's Hosted Link over HTTP, as a person does with plain forms.

    returned = walk(answer["hosted_link_url"])                       # user_good at the first bank
    walk(url, bank="ins_127287", oauth="deny")
    walk(url, password=["wrong", "pass_good"], accounts=["0000", "Plaid Saving"])
    walk(url, bank=["ins_109508", "ins_109511"])                     # several banks in one session
    walk(url, cancel_at="credentials")

The result is the address that the browser is sent to at the end; it is not opened. It is None if
the session ends without one, and with `stop_at`, which leaves the page open like a closed tab.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urljoin

import requests
from werkzeug.datastructures import MultiDict

from tests.pages import Page
from tests.plain_browser import Forms

MAIN = "main"
_MOST_FORMS = 60


def walk(
    url: str,
    *,
    bank: str | Sequence[str] = "ins_109508",
    username: str = "user_good",
    password: str | Sequence[str] = "pass_good",  # noqa: S107
    answers: Sequence[str] | None = None,
    accounts: Sequence[str] | None = None,
    oauth: str = "allow",
    cancel_at: str | None = None,
    stop_at: str | None = None,
) -> str | None:
    """Walk through a session that starts at `url`.

    `password` is one for each log-in: when they are used up or an error can't be helped, the
    person leaves. `answers` are those of all second steps, in their order; without them the right
    ones. `accounts` are ids, masks or names; without them those that are ticked. `oauth` is
    `allow`, `deny` or `fail`. `cancel_at` and `stop_at` name a step, the page's `data-step`.
    """
    person = Person(url)
    banks = [bank] if isinstance(bank, str) else list(bank)
    several = len(banks) > 1
    passwords = iter([password] if isinstance(password, str) else password)
    given = iter(answers) if answers is not None else None
    for _ in range(_MOST_FORMS):
        step = person.step
        if person.returned or step is None or step == stop_at:
            break
        if step == cancel_at:
            cancel_at = None
            person.press("deny" if step in ("bank", "grant") else "cancel")
        elif step == "connected" and several and banks:
            person.press("add_another")
        elif step in ("error", "left", "refused"):
            person.give_up()
        else:
            fields = _entries(person, step, banks, username, passwords, given, accounts)
            if fields is None:
                person.give_up()
            else:
                person.send(oauth if step == "grant" and oauth != "allow" else None, **fields)
    return person.returned


def _entries(
    person: "Person",
    step: str,
    banks: list[str],
    username: str,
    passwords: Iterator[str],
    answers: Iterator[str] | None,
    accounts: Sequence[str] | None,
) -> dict[str, Sequence[str]] | None:
    """Return what the person enters on a page; None if they have nothing more to try."""
    if step == "institution":
        return {"institution_id": [banks.pop(0)]} if banks else None
    if step in ("credentials", "bank"):
        secret = next(passwords, None)
        return None if secret is None else {"username": [username], "password": [secret]}
    if step == "recaptcha":
        return {"recaptcha": ["yes"]}
    if step in ("code", "questions", "selections"):
        right = person.right_answers()
        return {"answer": [next(answers) for _ in right] if answers else right}
    if step in ("accounts", "grant") and accounts is not None:
        return {"account_id": person.account_ids(accounts)}
    return {}


class Person:
    """Somebody with a browser on one page of Link. `returned` is where the end sends them."""

    def __init__(self, url: str) -> None:
        self._http = requests.Session()
        self._http.trust_env = False
        self.returned: str | None = None
        self._open("GET", url)

    @property
    def step(self) -> str | None:
        """The step of the page, None after the end."""
        steps = [e["data-step"] for _, e, _ in self.page.elements if "data-step" in e]
        return steps[0] if steps else None

    @property
    def heading(self) -> str:
        (heading,) = ["".join(inside) for tag, _, inside in self.page.elements if tag == "h1"]
        return " ".join(heading.split())

    @property
    def text(self) -> str:
        """All words of the page, separated by single spaces."""
        (body,) = ["".join(inside) for tag, _, inside in self.page.elements if tag == "body"]
        return " ".join(body.split())

    def values(self, name: str) -> list[str]:
        """Return the values of the main form's fields with this name, chosen or not."""
        controls = [c for c in self._forms.controls if c.form == MAIN]
        return [c.attributes["value"] or "" for c in controls if c.attributes.get("name") == name]

    def search(self, query: str) -> None:
        """Search the list of banks."""
        fields = self._forms.fields(MAIN)
        fields["query"], fields["action"] = query, "search"
        self._open("POST", self.url, fields)

    def send(self, action: str | None = None, **changes: Sequence[str]) -> None:
        """Send the main form with its main button, or the small form with this `action`."""
        if action is not None:
            self.press(action)
            return
        fields = self._forms.fields(MAIN)
        for name, values in changes.items():
            assert name in self._names(), f"{name} is not in the form of {self.step}"
            fields.setlist(name, list(values))
        buttons = [c for c in self._forms.controls if c.form == MAIN and c.tag == "button"]
        fields["action"] = buttons[-1].attributes["value"] or ""
        self._open("POST", self.url, fields)

    def press(self, action: str) -> None:
        """Send the small form with this action."""
        for form in self._forms.forms:
            fields = self._forms.fields(form)
            if fields.get("action") == action:
                self._open("POST", self.url, fields)
                return
        raise AssertionError(f"no form for {action} at {self.step}")

    def give_up(self) -> None:
        """Cancel and leave or, where nothing is left to cancel, go back to the client."""
        if self.step not in ("left", "refused", "connected"):
            self.press("cancel")
            self.send()
        elif MAIN in self._forms.forms:
            self.send()
        else:
            self.page = Page("")

    def right_answers(self) -> list[str]:
        """Return the right answers, which the pages of the sandbox name."""
        return [
            control.attributes["data-answer"] or ""
            for control in self._forms.controls
            if "data-answer" in control.attributes
        ]

    def account_ids(self, wanted: Sequence[str]) -> list[str]:
        """Return the ids of the accounts with these ids, masks or names."""
        boxes = [c.attributes for c in self._forms.controls if c.attributes.get("data-mask")]
        found = [
            box["value"] or ""
            for box in boxes
            if {box["value"], box["data-mask"], box["data-name"]} & set(wanted)
        ]
        assert len(found) == len(wanted), f"{wanted} are not the accounts of {boxes}"
        return found

    def _names(self) -> set[str | None]:
        return {c.attributes.get("name") for c in self._forms.controls if c.form == MAIN}

    def _open(self, method: str, url: str, fields: MultiDict[str, str] | None = None) -> None:
        """Open a page. Follow redirects within Link, and keep the one that leaves it."""
        data = list(fields.items(multi=True)) if fields else None
        answer = self._http.request(method, url, data=data, allow_redirects=False, timeout=30)
        while answer.is_redirect:
            assert answer.status_code == 303
            target = urljoin(answer.url, answer.headers["Location"])
            link = urljoin(answer.url, "/hl/")
            if not target.startswith(link):
                self.returned = target
                return
            answer = self._http.get(target, allow_redirects=False, timeout=30)
        self.status, self.url = answer.status_code, answer.url
        self.html, self.page, self._forms = answer.text, Page(answer.text), Forms(answer.text)
