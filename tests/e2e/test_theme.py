"""The theme changes at once with JavaScript, and with a page load without it."""

import re

import pytest
from playwright.sync_api import expect

DARK, LIGHT = "rgb(19, 20, 18)", "rgb(251, 250, 247)"


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain forms"])
def test_dark_is_chosen_and_stays(deployment, visit, javascript):
    person = visit(deployment.url, javascript=javascript)
    person.sign_up()
    page = person.page
    page.emulate_media(color_scheme="light")
    expect(page.locator("body")).to_have_css("background-color", LIGHT)
    loads = person.page_loads

    person.press("Account")
    person.press("Dark")

    expect(page.locator("body")).to_have_css("background-color", DARK)
    if javascript:
        assert person.page_loads == loads
        expect(page.get_by_role("button", name="Dark", exact=True)).to_be_focused()
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", DARK)


def test_the_icons_are_drawn(deployment, person):
    """If the Content-Security-Policy blocked the sprite, icons would have no size."""
    drawn = person.page.locator(".icon-button use").first
    person.page.wait_for_function(
        "() => document.querySelector('.icon-button use').getBBox().width > 10"
    )
    expect(drawn).to_have_attribute("href", re.compile(r"^/static/icons\.svg\b.*#circle-user$"))
