"""What the bank has new reaches the open page by webhook, and nobody else's."""

from playwright.sync_api import expect

from tests.e2e.person import be_done


def test_new_rows_show_without_a_reload(deployment, person, visit):
    stranger = visit(deployment.url)
    stranger.sign_up()
    be_done(person.connect("user_transactions_dynamic", "any"))
    expect(person.page.locator("#summary")).to_contain_text("50 transactions")
    loads = person.page_loads

    deployment.bank.ask("/transactions/refresh", deployment.newest_access_token())

    expect(person.page.locator("#summary")).not_to_contain_text("50 transactions", timeout=5_000)
    assert person.total_on_page() == len(person.transactions())
    assert person.page_loads == loads
    expect(stranger.page.locator("#summary")).to_contain_text("Connect a bank")
    assert stranger.transactions() == []


def test_a_log_in_that_ended_is_said_without_a_reload(deployment, person):
    be_done(person.connect("user_transactions_dynamic", "any"))

    deployment.bank.ask("/sandbox/item/reset_login", deployment.newest_access_token())

    expect(person.page.locator("#connections")).to_contain_text("wants you to log in again")


def test_every_refusal_is_said_and_a_success_takes_it_back(deployment, person):
    notice = person.page.locator("#notice")
    for _ in range(2):
        person.press("Get account data")
        expect(notice).to_contain_text("Connect a bank first")
    be_done(person.connect())
    expect(notice).to_be_empty()
    person.complaints.clear()  # a 422 is an error on the browser's console
