"""Every change requires a token that only the app's own pages have."""

import itertools
import re

import pytest

from tests.pages import Page, token_of

UNGUARDED = {
    "webhooks.receive",  # signed
    "auth.stop_mails",  # mail programs post to it, and the address is a secret
}


@pytest.fixture
def guarded(app, alice):
    """Alice, logged in, with the check that other tests turn off."""
    app.config["WTF_CSRF_ENABLED"] = True
    return alice


def posts(app):
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and rule.endpoint not in UNGUARDED:
            yield re.sub(r"<\w+:\w+>", "1", rule.rule)


def test_every_post_without_the_right_token_is_refused(app, guarded, dump):
    before = dump()
    paths = list(posts(app))
    assert len(paths) >= 10

    forms = ({}, {"csrf_token": ""}, {"csrf_token": "nonsense"}, {"csrf_token": "Im.aa.bb"})
    for path, form in itertools.product(paths, forms):
        page = guarded.client.post(path, data=form)
        htmx = guarded.htmx("POST", path, data=form)
        for answer in (page, htmx):
            assert answer.status_code == 400, path
            assert "Reload it and try again." in answer.text
        assert "<html" in page.text
        assert "<html" not in htmx.text

    assert dump() == before
    assert guarded.client.get("/finance/").status_code == 200, "logged out"


def test_another_persons_token_is_refused(charlie, guarded):
    token = token_of(charlie.client.get("/finance/transactions"))

    answer = guarded.client.post("/auth/logout", data={"csrf_token": token})

    assert answer.status_code == 400


def test_a_token_is_accepted_as_a_field_and_as_a_header(app, guarded):
    token = token_of(guarded.client.get("/finance/transactions"))
    form = {"institution_id": "ins_109508"}

    field = guarded.client.post("/finance/items/sandbox", data=form | {"csrf_token": token})
    header = guarded.client.post(
        "/finance/items/sandbox", data=form, headers={"X-CSRFToken": token}
    )

    assert (field.status_code, header.status_code) == (302, 302)


def test_every_form_on_every_page_has_a_token(app, guarded, client):
    pages = [guarded.client.get("/finance/"), client.get("/auth/login"), client.get("/auth/signup")]
    for answer in pages:
        forms = re.findall(r"<form\b.*?</form>", answer.text, re.DOTALL)
        posting = [form for form in forms if 'method="post"' in form]
        assert posting
        for form in posting:
            assert Page(form).value("csrf_token")
