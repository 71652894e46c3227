"""The theme (light, dark or system) is remembered for a year and set before the first paint."""

import pytest

from tests.pages import Page

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def theme_of(answer):
    """Return the theme set on <html>, None if the system decides."""
    return next(
        attributes for tag, attributes, _ in Page(answer.text).elements if tag == "html"
    ).get("data-theme")


def papers_of(answer):
    """Return the media query of each color for the browser's toolbar."""
    return {
        attributes["content"]: attributes["media"]
        for tag, attributes, _ in Page(answer.text).elements
        if tag == "meta" and attributes.get("name") == "theme-color"
    }


def test_without_a_choice_the_system_decides(client):
    answer = client.get("/auth/login")

    assert theme_of(answer) is None
    assert set(papers_of(answer).values()) == {
        "(prefers-color-scheme: light)",
        "(prefers-color-scheme: dark)",
    }


@pytest.mark.parametrize(
    ("theme", "papers"),
    [
        ("light", {"#fbfaf7": "all", "#131412": "not all"}),
        ("dark", {"#fbfaf7": "not all", "#131412": "all"}),
    ],
)
def test_every_later_page_has_the_chosen_theme(alice, theme, papers):
    answer = alice.client.post("/theme", data={"theme": theme, "back": "/finance/items?x=1"})

    assert (answer.status_code, answer.location) == (303, "/finance/items?x=1")
    for path in ("/finance/", "/finance/transactions", "/nothing/here"):
        page = alice.client.get(path)
        assert theme_of(page) == theme
        assert papers_of(page) == papers
        assert Page(page.text).find(value=theme)[0]["aria-pressed"] == "true"


def test_the_cookie_lasts_a_year_and_goes_to_this_site_only(client):
    (cookie,) = [
        header
        for header in client.post("/theme", data={"theme": "dark"}).headers.getlist("Set-Cookie")
        if header.startswith("theme=")
    ]

    assert cookie.startswith("theme=dark;")
    for part in ("Max-Age=31536000", "SameSite=Lax", "HttpOnly", "Path=/"):
        assert part in cookie


def test_over_https_the_cookie_belongs_to_this_host_alone(client):
    there = "https://bank.example"
    answer = client.post("/theme", base_url=there, data={"theme": "dark"})

    cookie = answer.headers["Set-Cookie"]
    assert (cookie.startswith("__Host-theme=dark;"), "Secure" in cookie) == (True, True)
    assert theme_of(client.get("/auth/login", base_url=there)) == "dark"


def test_the_systems_theme_can_be_chosen_again(client):
    client.post("/theme", data={"theme": "dark"})
    client.post("/theme", data={"theme": "system"})

    assert theme_of(client.get("/auth/login")) is None


def test_htmx_gets_the_form_and_an_event(alice):
    answer = alice.htmx("POST", "/theme", data={"theme": "dark", "back": "/finance/"})

    form = Page(answer.text)
    assert answer.status_code == 200
    assert answer.headers["HX-Trigger"] == "theme-chosen"
    assert form.find(value="dark")[0]["aria-pressed"] == "true"
    assert form.find(value="system")[0]["aria-pressed"] == "false"
    assert form.value("back") == "/finance/"


@pytest.mark.parametrize("form", [{}, {"theme": ""}, {"theme": "sepia"}, {"theme": "Dark"}])
def test_an_unknown_theme_is_refused(client, form):
    answer = client.post("/theme", data=form)

    assert answer.status_code == 422
    assert "light or dark" in answer.text
    assert client.get_cookie("theme") is None


def test_a_cookie_with_another_value_means_the_systems_theme(client):
    client.set_cookie("theme", 'dark" onload="x')

    answer = client.get("/auth/login")

    assert theme_of(answer) is None
    assert "onload" not in answer.text


@pytest.mark.parametrize(
    "elsewhere",
    ["", "https://evil.example/", "//evil.example/", "/\\evil.example", "/\t/evil.example", "x"],
)
def test_the_redirect_stays_on_this_site(client, elsewhere):
    answer = client.post("/theme", data={"theme": "dark", "back": elsewhere})

    assert (answer.status_code, answer.location) == (303, "/")


def test_choosing_a_theme_needs_a_csrf_token(app, client):
    app.config["WTF_CSRF_ENABLED"] = True

    client.post("/theme", data={"theme": "dark"})

    assert client.get_cookie("theme") is None
