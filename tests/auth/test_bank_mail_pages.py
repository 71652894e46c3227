"""The switches for mails about banks, and the link in such a mail that ends them."""

import pytest

from plaidapp.auth import stop_links
from plaidapp.extensions import db
from plaidapp.store import Activity, User
from plaidapp.store.base.types import now
from plaidapp.store.people import users
from tests.pages import Page

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def settings(app, alice):
    """Return what Alice has chosen: mails about banks, mails about checks."""

    def read():
        with app.app_context():
            user = db.session.get(User, alice.id)
            return user.bank_mails, user.check_mails

    return read


@pytest.fixture
def stop_path(app, alice):
    with app.app_context():
        return stop_links.path_to(users.by_id(alice.id))


def choose(person, about, mails, **options):
    return person.client.post("/auth/mails", data={"about": about, "mails": mails}, **options)


def test_each_switch_turns_its_mails_off_and_on(alice, mailbox, settings):
    assert settings() == (True, True)
    assert choose(alice, "banks", "off").location.endswith("/auth/account#bank-mails")
    assert settings() == (False, True)
    choose(alice, "checks", "off")
    assert settings() == (False, False)
    choose(alice, "banks", "on")
    assert settings() == (True, False)

    page = Page(alice.client.get("/auth/account").text)

    switches = [each["aria-checked"] for each, _ in page.find_all(role="switch")]
    assert switches == ["true", "false"]
    assert "You get a mail when a bank needs you." in page.text


def test_htmx_gets_the_sections_again(alice, mailbox, settings):
    answer = choose(alice, "checks", "off", headers={"HX-Request": "true"})

    assert answer.status_code == 200
    assert 'aria-checked="false"' in answer.text
    assert "You get no mail about checks." in answer.text
    assert settings() == (True, False)


@pytest.mark.parametrize("about", ["", "all", "Banks"])
def test_an_unknown_switch_changes_nothing(alice, settings, about):
    assert choose(alice, about, "off").status_code == 422
    assert settings() == (True, True)


def test_without_a_mail_server_there_are_no_switches(alice):
    assert 'role="switch"' not in alice.client.get("/auth/account").text


def test_who_has_not_confirmed_the_address_reads_that_mails_begin_later(app, alice, mailbox):
    words = "They begin once you have confirmed your email address."
    assert words in alice.client.get("/auth/account").text
    with app.app_context():
        users.by_id(alice.id).email_confirmed_at = now()
        db.session.commit()
    assert words not in alice.client.get("/auth/account").text


def test_the_link_opens_a_page_and_only_its_button_ends_the_mails(app, stop_path, settings, ask):
    app.config["WTF_CSRF_ENABLED"] = True
    stranger = app.test_client()
    page = stranger.get(stop_path)
    assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
    assert "Stop these mails?" in page.text
    assert settings() == (True, True), "programs that look through mails follow links"

    assert "You get no more of these mails" in stranger.post(stop_path).text
    assert settings() == (False, False)
    assert [row.kind for row in ask(Activity)] == ["bank_mails_changed"]


def test_a_mail_program_ends_them_with_one_click_and_may_repeat_it(app, stop_path, settings, ask):
    app.config["WTF_CSRF_ENABLED"] = True
    for _ in range(2):
        assert app.test_client().post(stop_path, data=ONE_CLICK).status_code == 200
        assert settings() == (False, False)
    assert len(ask(Activity)) == 1


def test_another_sites_page_can_not_press_the_button(app, stop_path, settings):
    answer = app.test_client().post(stop_path, headers={"Origin": "https://evil.example"})

    assert answer.status_code == 403
    assert settings() == (True, True)


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1],
        lambda token: "2" + token[1:],
        lambda token: token.split(".")[0],
        lambda token: "%ED%A0%80.x",
        lambda token: "0",
    ],
)
def test_a_wrong_link_says_so_and_changes_nothing(app, alice, charlie, stop_path, settings, change):
    start, _, token = stop_path.rpartition("/")
    wrong = f"{start}/{change(token)}"
    for answer in (app.test_client().get(wrong), app.test_client().post(wrong)):
        assert answer.status_code == 404
        assert "This link doesn’t work" in answer.text
    assert settings() == (True, True)


def test_the_link_of_a_person_who_has_gone_works_no_more(app, alice, stop_path):
    with app.app_context():
        db.session.delete(db.session.get(User, alice.id))
        db.session.commit()
        users.add("eve", "eve@example.com", "no hash")
        db.session.commit()

    assert app.test_client().get(stop_path).status_code == 404


def test_the_link_works_after_secret_key_has_changed(app, stop_path):
    app.config["SECRET_KEY_FALLBACKS"] = [app.config["SECRET_KEY"]]
    app.config["SECRET_KEY"] = "another key of the same length, or more"

    assert app.test_client().get(stop_path).status_code == 200
