"""The Procfile's lines with Redis over TCP and PostgreSQL, as on any PaaS."""

from playwright.sync_api import expect

from tests.e2e.person import be_done
from tests.e2e.processes import wait_until


def test_sign_up_to_stored_transactions(deployment, person):
    be_done(person.connect())

    expect(person.page.locator("#accounts li")).to_have_count(9)
    wait_until(lambda: person.total_on_page() > 1000 and person.sees_all(), 30, "all of them")
    assert len(person.json("/finance/accounts.json")["accounts"]) == 9


def test_panel_says_what_it_is_doing(deployment, person):
    deployment.bank.misbehave("delay", "/transactions/sync", seconds=4)
    panel = person.connect()
    expect(panel).to_contain_text("First Platypus Bank")
    expect(panel).to_contain_text("page")
    expect(panel).to_contain_text("transactions so far")
    expect(panel.get_by_role("progressbar")).to_be_visible()
    loads = person.page_loads

    deployment.bank.behave()
    be_done(panel)
    expect(panel).to_contain_text("9 accounts")
    assert person.page_loads == loads


def test_a_bare_rq_worker_does_the_same(deployment, person):
    deployment.running["worker"].stop()
    bare = deployment.run("bare worker", "rq worker -c worker -w worker.AppWorker")
    try:
        be_done(person.connect())
        expect(person.page.locator("#accounts li")).to_have_count(9)
    finally:
        bare.stop()
        deployment.run("worker", deployment.procfile["worker"])
