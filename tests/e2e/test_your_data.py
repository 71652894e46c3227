"""Downloading and deleting everything by keyboard alone, with JavaScript and without it."""

import json
import re
import zipfile

import pytest
from playwright.sync_api import expect

from tests.e2e.person import PASSWORD
from tests.e2e.test_account import fill, follow
from tests.e2e.test_keyboard import press


@pytest.mark.parametrize("javascript", [True, False], ids=["htmx", "plain forms"])
def test_everything_is_downloaded_and_deleted_by_keyboard(deployment, visit, javascript):
    person = visit(deployment.url, javascript=javascript)
    person.join()
    page = person.page

    page.goto("/auth/account")
    with page.expect_download() as download:
        press(person, "Download everything")
    with zipfile.ZipFile(download.value.path()) as file:
        assert json.loads(file.read("person.jsonl"))["username"] == person.name

    follow(person, "Delete everything")
    fill(person, "Password", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator(".error")).to_have_text("This is not your password.")
    page.goto("/auth/delete")
    fill(person, "Password", PASSWORD)
    press(person, "Delete everything")
    expect(page).to_have_url(re.compile("/auth/login$"))
    expect(page.get_by_text("everything is being deleted")).to_be_visible()
    fill(person, "Username or email", person.name)
    fill(person, "Password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("This username and password don’t match.")).to_be_visible()
    person.complaints.clear()  # a 422 and a 401 are errors on the browser's console
