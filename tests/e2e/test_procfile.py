"""The Procfile's lines with Redis over TCP and PostgreSQL, as on any PaaS."""

import requests
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
        be_done(person.connect("user_transactions_dynamic", "any"))
        expect(person.page.locator("#accounts li")).to_have_count(9)
    finally:
        bare.stop()
        deployment.run("worker", deployment.procfile["worker"])


def test_the_server_believes_no_header_of_strangers(deployment):
    """gunicorn by default believes a process of the same machine."""
    log_in = f"{deployment.url}/auth/login"
    spoofed = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Ssl": "on",
        "X-Forwarded-Host": "evil.example",
        "SCRIPT_NAME": "/auth",
        "Script-Name": "/auth",
    }

    plain = requests.get(log_in, headers=spoofed, timeout=30)
    assert plain.status_code == 200
    assert 'action="/auth/login"' in plain.text
    assert "Secure" not in plain.headers["Set-Cookie"]
    assert "Strict-Transport-Security" not in plain.headers
    for host in ("evil.example", "..", "0.0.0.0"):  # noqa: S104
        assert requests.get(log_in, headers={"Host": host}, timeout=30).status_code == 400
