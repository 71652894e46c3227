"""The pages of Hosted Link: what programs and screen readers need on each of them."""

import pytest

from tests.link_walker import MAIN, Person
from tests.plain_browser import Forms
from tests.sandbox.conftest import FIRST_BANK, OAUTH_BANK

GOOD = {"username": ["user_good"], "password": ["pass_good"]}


def pages_of(url, *forms):
    """Send the main forms with these fields one by one, and yield each page."""
    person = Person(url)
    yield person
    for fields in forms:
        person.send(**fields)
        yield person


def check(person):
    """Check a page's title, heading, buttons and labels."""
    elements = person.page.elements
    assert person.heading
    assert [e["lang"] for tag, e, _ in elements if tag == "html"] == ["en"]
    (title,) = ["".join(inside) for tag, _, inside in elements if tag == "title"]
    assert person.heading in " ".join(title.split())
    ids = [e["id"] for _, e, _ in elements if "id" in e]
    assert len(set(ids)) == len(ids)

    forms = Forms(person.html)
    main = [c.attributes for c in forms.controls if c.form == MAIN and c.tag == "button"]
    assert [b["class"] for b in main].count("main") == 1
    assert main[-1]["class"] == "main"
    for name, form in forms.forms.items():
        assert form["method"] == "post"
        assert "turn" in forms.fields(name) or person.step in ("connected", "left")
    labelled = {e["for"] for tag, e, _ in elements if tag == "label" and "for" in e}
    for control in forms.controls:
        kind = control.attributes.get("type", "text")
        if control.tag in ("input", "select") and kind not in ("hidden", "radio", "checkbox"):
            assert control.attributes["id"] in labelled


@pytest.mark.parametrize(
    ("steps", "forms"),
    [
        (["institution", "credentials", "accounts", "connected"],
         [{"institution_id": [FIRST_BANK]}, GOOD, {}]),
        (["institution", "oauth", "bank", "grant", "connected"],
         [{"institution_id": [OAUTH_BANK]}, {}, GOOD, {}]),
        (["institution", "credentials", "device", "code"],
         [{}, {"password": ["mfa_device"]}, {}]),
        (["institution", "credentials", "questions"], [{}, {"password": ["mfa_questions_1_2"]}]),
        (["institution", "credentials", "selections"],
         [{}, {"password": ["mfa_selections_1_2_2"]}]),
        (["institution", "credentials", "recaptcha"], [{}, {"password": ['{"recaptcha":"good"}']}]),
        (["institution", "credentials", "error"], [{}, {"password": ["error_ITEM_LOCKED"]}]),
        (["institution", "credentials", "credentials"], [{}, {"password": ["wrong"]}]),
    ],
)  # fmt: skip
def test_every_page(hosted_link, steps, forms):
    seen = []
    for person in pages_of(hosted_link()["hosted_link_url"], *forms):
        check(person)
        seen.append(person.step)
    assert seen == steps


def test_the_page_before_leaving(hosted_link):
    person = Person(hosted_link()["hosted_link_url"])
    person.press("cancel")
    check(person)


def test_the_page_after_one_of_several_banks(hosted_link):
    link = hosted_link(enable_multi_item_link=True)
    *_, person = pages_of(link["hosted_link_url"], {}, GOOD, {})
    check(person)
    assert person.step == "connected"


def test_the_end_without_an_address_to_go_to(hosted_link):
    link = hosted_link(hosted_link={})
    *_, person = pages_of(link["hosted_link_url"], {}, GOOD, {})
    assert "You can close this page." in person.text
    person = Person(hosted_link(hosted_link={})["hosted_link_url"])
    person.press("cancel")
    person.send()
    assert (person.step, person.returned) == ("left", None)


def test_a_long_name_of_the_client_is_not_shown(hosted_link):
    name = "A name that is longer than thirty characters"
    person = Person(hosted_link(client_name=name)["hosted_link_url"])
    assert "This Application asks for access to your bank." in person.text
    assert name not in person.text
