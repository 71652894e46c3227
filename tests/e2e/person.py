"""A person in the browser, with methods for what they type, press and read."""

import itertools
import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, expect

PASSWORD = "correct horse battery staple"
_numbers = itertools.count(1)
_looked_at: set[str] = set()
IN_MENU = (
    "Sync everything",
    "Get account data",
    "Get transaction data",
    "Get total number of transactions",
)
"""The buttons behind *Refresh*, on the overview."""
EVERY_RULE = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
"""Target size (WCAG 2.2) is the only rule that axe-core turns off by default."""
LOOKED_AT = {
    "exclude": [
        *("#list .ledger:nth-of-type(n + 4)", "#list .ledger > :nth-child(n + 8)"),
        *(".streams > :nth-child(n + 6)", "tbody tr:nth-child(n + 6)"),
    ]
}
"""Long lists and tables repeat themselves; axe-core takes seconds for fifty rows."""
RUN_AXE = """async ([where, rules]) => {
  const ends = (animation) => animation.effect.getComputedTiming().endTime < Infinity;
  const arriving = document.getAnimations().filter(ends);  // text that fades in lacks contrast
  await Promise.allSettled(arriving.map((animation) => animation.finished));
  return (await axe.run(where, rules)).violations;
}"""


class Person:
    """A person with their own browser and a unique name."""

    def __init__(
        self, browser: Browser, url: str, *, javascript: bool = True, **options: Any
    ) -> None:
        """`options` are Playwright's for a context, such as the viewport and the color scheme.

        Unless they say otherwise, the browser is in UTC and speaks English, wherever the tests
        run, and the person prefers reduced motion: to draw a bar that moves takes seven times as
        long as to poll.
        """
        self.name = f"anna{next(_numbers)}-{os.getpid()}"
        self.complaints: list[str] = []
        """Errors and warnings on the browser's console, also of the Content-Security-Policy."""
        self._loads = 0
        self.javascript = javascript
        usual = {"timezone_id": "UTC", "locale": "en-US", "reduced_motion": "reduce"}
        options = usual | options
        self.context = browser.new_context(base_url=url, java_script_enabled=javascript, **options)
        self.context.set_default_timeout(30_000)
        self.page = self.context.new_page()
        self.page.on("console", self._on_console)
        self.page.on("pageerror", self._on_page_error)
        self.page.on("domcontentloaded", self._on_load)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location['url']}".strip())

    def _on_page_error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _on_load(self, _page: object) -> None:
        self._loads += 1

    @property
    def page_loads(self) -> int:
        """How many pages the browser has loaded, with the one that it is loading now."""
        self.page.wait_for_load_state("domcontentloaded")  # what is seen may not be all of a page
        return self._loads

    def sign_up(self) -> None:
        self.page.goto("/auth/signup")
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Email").fill(f"{self.name}@example.com")
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Sign up")
        expect(self.page.get_by_text(re.compile(f"Hi,? {self.name}"))).to_be_visible()
        self.page.wait_for_load_state()  # before its scripts run, a click loads a whole page

    def join(self) -> None:
        """Sign up without the form, which takes the browser a second, and open the overview."""
        form = self.context.request.get("/auth/signup").text()
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        fields = {"username": self.name, "email": f"{self.name}@example.com", "password": PASSWORD}
        answer = self.context.request.post("/auth/signup", form=fields | {"csrf_token": token[1]})
        assert answer.ok, answer.text()
        self.page.goto("/finance/")

    def log_in(self) -> None:
        self.page.goto("/auth/login")
        self.page.get_by_label("Username").fill(self.name)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.press("Log in")
        expect(self.page).to_have_url(re.compile("/finance/$"))
        self.page.wait_for_load_state()

    def log_out(self) -> None:
        self.press("Account")
        self.press("Log out")
        expect(self.page.get_by_text("Logged out successfully.")).to_be_visible()
        # A panel's poll that was open when the session ended is refused, which the browser logs.
        self.complaints = [
            each for each in self.complaints if not ("401" in each and "/finance/pulls/" in each)
        ]

    def press(self, button: str) -> None:
        if button in IN_MENU:
            self.open_refresh()
        self.page.get_by_role("button", name=button, exact=True).first.click()

    def open_refresh(self) -> None:
        menu = self.page.locator("#refresh")
        if menu.get_attribute("open") is None:
            menu.locator("summary").click()

    def pull(self, button: str) -> Locator:
        """Press a button that begins a pull; return the pull's panel."""
        panels = self.page.locator("#activity > [id^=pull-]")
        there = panels.evaluate_all("panels => panels.map(panel => '#' + panel.id)")
        self.press(button)
        new = self.page.locator(
            "#activity > [id^=pull-]" + "".join(f":not({id_})" for id_ in there)
        )
        expect(new).to_have_count(1)
        return self.page.locator(f"#{new.get_attribute('id')}")

    def connect(self, username: str = "", password: str = "") -> Locator:
        """Press *Connect a test bank*, as one of the sandbox's test users."""
        if username:
            self.page.get_by_text("Use another test user").click()
            self.page.get_by_label("Test user").fill(username)
            self.page.get_by_label("Password").fill(password)
        return self.pull("Connect a test bank")

    def json(self, path: str) -> Any:
        answer = self.context.request.get(path)
        assert answer.ok, answer.text()
        return answer.json()

    def transactions(self) -> list[dict[str, Any]]:
        """Return every stored transaction, from all pages of transactions.json."""
        found, path = [], "/finance/transactions.json"
        while path:
            page = self.json(path)
            found += page["transactions"]
            path = page["next"]
        assert len(found) == page["total_transactions"]
        return found

    def sees_all(self) -> bool:
        """Does the page show the number of stored transactions?"""
        return self.total_on_page() == len(self.transactions())

    def total_on_page(self) -> int:
        summary = self.page.locator("#summary").inner_text()
        return int(re.search(r"([\d,]+) transactions?", summary)[1].replace(",", ""))

    def barriers(self, rules: dict[str, Any] = EVERY_RULE) -> list[str]:
        """Return the accessibility problems that axe-core finds on the page as it is now.

        By default it checks its rules for WCAG 2.2 A and AA and its best practices.
        """
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        violations = self.page.evaluate(RUN_AXE, [LOOKED_AT, rules])
        return [
            f"{found['id']}: {found['help']}: {node['target']} in {self.page.url}"
            for found in violations
            for node in found["nodes"]
        ]

    def last_look(self) -> list[str]:
        """Return what the browser has complained of, and the problems of the open page.

        axe-core looks at each kind of page once. test_accessibility.py has each in all its states.
        """
        kind = re.sub(r"\d+", "", urlsplit(self.page.url).path)
        here = not self.page.is_closed() and self.page.url.startswith("http")
        if not (self.javascript and here) or kind in _looked_at:
            return self.complaints
        _looked_at.add(kind)
        return self.complaints + self.barriers()

    def leave(self, screenshot: Path | None = None) -> None:
        if screenshot and not self.page.is_closed():
            self.page.screenshot(path=screenshot, full_page=True)
        self.context.close()


def be_done(panel: Locator) -> None:
    expect(panel).to_have_attribute("data-state", "done", timeout=60_000)
