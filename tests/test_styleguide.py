"""The style guide exists for those who work on the pages, and not in a deployment."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from plaidapp.styleguide import is_local

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def deployed(app):
    config = replace(app.config["PLAIDAPP"], plaid_url="https://production.plaid.com")
    app.config["PLAIDAPP"] = config
    return app


def test_with_the_local_sandbox_it_shows_both_themes(client):
    answer = client.get("/styleguide")

    assert answer.status_code == 200
    for theme in ("light", "dark"):
        assert f'data-theme="{theme}"' in answer.text


def test_every_class_of_the_stylesheet_is_used_or_shown(database_url):
    """A class that no template uses is dead; the style guide shows those kept for later."""
    css = re.sub(r"/\*.*?\*/|url\(.*?\)", "", (ROOT / "static/app.css").read_text(), flags=re.S)
    classes = set(re.findall(r"\.([a-z][a-z-]*)", css))
    templates = " ".join(path.read_text() for path in (ROOT / "templates").rglob("*.html"))

    assert len(classes) > 50
    assert classes - set(re.findall(r"[a-z][a-z-]*", templates)) == {"htmx-request"}  # htmx's own


def test_a_deployment_has_no_style_guide(deployed, client, alice):
    assert client.get("/styleguide").status_code == 404
    assert alice.client.get("/styleguide").status_code == 404


def test_debug_mode_has_a_style_guide(deployed, client):
    deployed.debug = True

    assert client.get("/styleguide").status_code == 200


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:5000", True),
        ("http://localhost:5000", True),
        ("http://[::1]:5000", True),
        ("https://sandbox.plaid.com", False),
        ("http://10.0.0.1", False),
        ("https://localhost.example.com", False),
    ],
)
def test_is_local_recognizes_this_machine(database_url, url, local):
    assert is_local(url) is local
