"""The bank is down, slow or sends nonsense while a person waits; and a worker dies."""

import re
import signal

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.person import Person, be_done
from tests.e2e.processes import wait_until

TROUBLE = {
    "an error": (
        {
            "kind": "error",
            "status": 500,
            "error_type": "API_ERROR",
            "error_code": "INTERNAL_SERVER_ERROR",
        },
        "having trouble",
    ),
    "nonsense": ({"kind": "garbage"}, "we could not read"),
}
"""One that Plaid names and one that we do; the others differ only in the sentence."""


def test_the_panel_shows_the_error_and_try_again_succeeds(deployment, person, subtests):
    be_done(person.connect("user_transactions_dynamic", "any"))
    loads = person.page_loads
    for trouble, (rule, words) in TROUBLE.items():
        with subtests.test(trouble):
            deployment.bank.misbehave(**rule)
            panel = person.pull("Get account data")
            expect_trouble(panel, words)

            deployment.bank.behave()
            try_again(panel)
            expect(panel).to_contain_text("9 accounts")
    assert person.page_loads == loads


def test_a_failed_pull_goes_away_when_dismissed_and_when_a_later_one_succeeds(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    failed = person.page.locator("#activity > [data-state=failed]")
    loads = person.page_loads
    fault = {"status": 400, "error_type": "INVALID_REQUEST", "error_code": "SOMETHING"}
    deployment.bank.misbehave("error", **fault)
    expect(person.pull("Get account data")).to_have_attribute("data-state", "failed")
    panel = person.pull("Get transaction data")
    expect(panel).to_have_attribute("data-state", "failed")
    expect(failed).to_have_count(2)
    dismissed = person.page.locator(f"#{panel.get_attribute('id')}")
    dismissed.get_by_role("button", name="Dismiss").click()
    expect(dismissed).to_have_count(0)

    deployment.bank.behave()
    be_done(person.pull("Get account data"))
    expect(failed).to_have_count(0)
    assert person.page_loads == loads


@pytest.fixture
def hold_lists(person):
    """`hold_lists()` holds an answer with the lists. Returns its text, and a call to let it in."""

    def begin():
        page, late = person.page, []

        def hold(route):
            everything = re.sub(r"revision=\d+", "revision=", route.request.url)
            late.append((route, route.fetch(url=everything)))

        page.route("**/finance/live*", hold, times=1)
        wait_until(lambda: page.evaluate("true") and late, 10, "the lists are asked for")
        route, answer = late[0]

        def let_in():
            with page.expect_response(
                lambda told: "/finance/live" in told.url and told.status != 204
            ):
                route.fulfill(response=answer)
            with page.expect_response("**/finance/live*"):
                pass

        return answer.text(), let_in

    return begin


COUNT = """selector => {
    window.back = 0;
    const look = () => { back += document.querySelectorAll(selector).length; };
    const changes = {subtree: true, childList: true, attributes: true};
    new MutationObserver(look).observe(document, changes);
}"""
"""Counts in `back` how often there is such an element, at each change of the page."""


def test_a_dismissed_pull_does_not_come_back_with_an_earlier_poll(deployment, person, hold_lists):
    be_done(person.connect("user_transactions_dynamic", "any"))
    page = person.page
    deployment.bank.misbehave(
        "error", status=400, error_type="INVALID_REQUEST", error_code="SOMETHING"
    )
    panel = person.pull("Get account data")
    expect(panel).to_have_attribute("data-state", "failed")
    number = panel.get_attribute("id")
    lists, let_in = hold_lists()
    panel.get_by_role("button", name="Dismiss").click()
    expect(panel).to_have_count(0)
    assert f'id="{number}"' in lists
    page.evaluate(COUNT, "#activity > [data-state=failed]")
    let_in()
    assert page.evaluate("back") == 0


def test_a_pull_that_is_done_does_not_go_back_with_an_earlier_poll(deployment, person, hold_lists):
    """A screen reader would hear its result twice."""
    be_done(person.connect("user_transactions_dynamic", "any"))
    deployment.bank.misbehave("delay", "/accounts/balance/get", seconds=600)
    panel = person.pull("Get account data")
    expect(panel).to_contain_text("contacting the bank")
    lists, let_in = hold_lists()
    deployment.bank.behave()
    be_done(panel)
    assert "contacting the bank" in lists
    person.page.evaluate(COUNT, "#activity > [data-state=running]")
    let_in()
    assert person.page.evaluate("back") == 0
    expect(panel).to_have_attribute("data-state", "done")


def test_a_connection_that_fails_can_be_tried_again(deployment, person):
    deployment.bank.misbehave("garbage", "/item/public_token/exchange")
    panel = person.connect("user_transactions_dynamic", "any")
    loads = person.page_loads
    expect_trouble(panel, "we could not read")

    deployment.bank.behave()
    try_again(panel)
    expect(person.page.locator("#accounts li")).to_have_count(9)
    assert person.page_loads == loads


def test_a_bank_that_is_down_leaves_the_rest_working(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    deployment.running["sandbox"].kill()
    panel = person.pull("Get account data")
    expect_trouble(panel, "can’t be reached")
    the_rest_works(person)

    deployment.start_bank()
    try_again(panel)
    expect(panel).to_contain_text("9 accounts")


def test_a_slow_bank_and_one_that_never_answers(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))
    deployment.bank.misbehave("drip", seconds=1)
    be_done(person.pull("Get account data"))

    deployment.running["sandbox"].send(signal.SIGSTOP)
    panel = person.pull("Get account data")
    the_rest_works(person)
    # The words go away during the next attempt, and stay after the last one.
    expect(panel).to_contain_text("took too long", timeout=90_000)

    deployment.running["sandbox"].send(signal.SIGCONT)
    if panel.get_attribute("data-state") == "failed":
        try_again(panel)
    be_done(panel)


def test_the_pull_of_a_killed_worker_is_done_by_another(deployment, person):
    before = deployment.bank.calls("/transactions/sync")
    deployment.bank.misbehave("delay", "/transactions/sync", seconds=600)
    panel = person.connect()
    wait_until(lambda: deployment.bank.calls("/transactions/sync") > before, 30, "a sync begins")
    deployment.running["worker"].kill()
    deployment.bank.behave()
    deployment.run("worker", deployment.procfile["worker"])

    # Once the heartbeat has been missing for policy.HEARTBEAT_LIMIT, the clock queues the pull.
    expect(panel).to_have_attribute("data-state", "done", timeout=90_000)
    expect(person.page.locator("#accounts li")).to_have_count(9)
    wait_until(lambda: person.total_on_page() > 1000 and person.sees_all(), 30, "all of them")


def expect_trouble(panel: Locator, words: str) -> None:
    """Wait for the last attempt. Before it, the next one takes the button away at any moment."""
    expect(panel).to_have_attribute("data-state", "failed", timeout=60_000)
    expect(panel).to_contain_text(words)
    expect(panel.get_by_role("button", name="Try again")).to_be_visible()


def try_again(panel: Locator) -> None:
    panel.get_by_role("button", name="Try again").click()
    be_done(panel)


def the_rest_works(person: Person) -> None:
    """Check log-out, log-in, the explorer, and return to the overview with its panel."""
    person.log_out()
    person.log_in()
    person.page.get_by_role("link", name="Transactions", exact=True).click()
    expect(person.page.get_by_role("heading", name="Transactions")).to_be_visible()
    expect(person.page.locator("li .amount").first).to_be_visible()
    person.page.goto("/finance/")
