"""Static files: compressed, and cached by the browser for a year."""

import gzip
import os
import re

import brotli
import pytest

BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd"}
STATIC = re.compile(r'(?:href|src)="(/static/[^"#]+)')

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def linked(client):
    """Return the addresses of the static files that a page links to."""
    return [link.replace("&amp;", "&") for link in STATIC.findall(client.get("/auth/login").text)]


def test_every_link_has_the_hash_of_its_file_and_is_cached_for_a_year(client, linked):
    assert len(linked) >= 4
    for link in linked:
        answer = client.get(link, headers=BROWSER)
        assert re.search(r"\?v=[0-9a-f]{16}$", link)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("query", ["", "?v=", "?v=0123456789abcdef"])
def test_an_address_without_the_right_hash_is_revalidated_each_time(client, query):
    answer = client.get(f"/static/app.css{query}")
    again = client.get(f"/static/app.css{query}", headers={"If-None-Match": answer.headers["ETag"]})

    assert answer.headers["Cache-Control"] == "no-cache"
    assert (again.status_code, again.data) == (304, b"")


def test_the_style_sheet_and_the_page_use_the_same_font_address(client, linked):
    sheet = client.get(next(link for link in linked if "app.css" in link)).text
    preloaded = next(link for link in linked if "woff2" in link)

    assert f'url("{preloaded.removeprefix("/static/")}")' in sheet


@pytest.mark.parametrize(
    ("accepted", "coding", "decode"),
    [
        ("gzip, deflate, br, zstd", "br", brotli.decompress),
        ("gzip, deflate", "gzip", gzip.decompress),
        ("br;q=0.5, gzip;q=0.9", "gzip", gzip.decompress),
        ("br;q=0, identity", None, bytes),
        ("", None, bytes),
    ],
)
def test_text_is_compressed_in_a_way_the_browser_accepts(client, accepted, coding, decode):
    plain = client.get("/static/vendor/htmx.min.js").data
    answer = client.get("/static/vendor/htmx.min.js", headers={"Accept-Encoding": accepted})

    assert answer.headers.get("Content-Encoding") == coding
    assert decode(answer.data) == plain
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    tags = {"If-None-Match": answer.headers["ETag"], "Accept-Encoding": accepted}
    assert client.get("/static/vendor/htmx.min.js", headers=tags).status_code == 304


def test_a_font_is_not_compressed_again(client):
    answer = client.get("/static/fonts/inter.woff2", headers=BROWSER)

    assert "Content-Encoding" not in answer.headers
    assert answer.mimetype == "font/woff2"
    assert answer.data[:4] == b"wOF2"


@pytest.mark.parametrize("path", ["nope.css", "../config.py", "%2e%2e/config.py", "vendor", ""])
def test_nothing_outside_of_static_is_served(client, path):
    assert client.get(f"/static/{path}").status_code == 404


def test_a_changed_file_gets_a_new_address(app, tmp_path):
    app.static_folder = str(tmp_path)
    sheet, font = tmp_path / "a.css", tmp_path / "a.woff2"
    sheet.write_text('@font-face { src: url("a.woff2") }')
    font.write_bytes(b"one")

    def address():
        with app.test_request_context():
            return app.url_for("static", filename="a.css")

    def touch(path, content, moment):
        path.write_bytes(content)
        os.utime(path, (moment, moment))

    before = address()
    assert address() == before
    touch(sheet, b"p {}", 1)
    assert address() != before


def test_pages_are_compressed_and_tiny_answers_are_not(app, connected):
    answer = connected.client.get("/finance/", headers=BROWSER)

    assert answer.headers["Content-Encoding"] == "zstd"
    assert {"Cookie", "Accept-Encoding", "Accept-Language"} <= set(answer.vary)
    assert answer.headers["Cache-Control"] == "no-store"
    answer = connected.client.get("/healthz", headers=BROWSER)
    assert "Content-Encoding" not in answer.headers


def test_a_stream_is_not_compressed(app, client):
    @app.get("/stream")
    def stream():
        return app.response_class((b"event " for _ in range(1000)), mimetype="text/html")

    answer = client.get("/stream", headers=BROWSER)
    assert "Content-Encoding" not in answer.headers
    assert answer.is_streamed


@pytest.mark.parametrize(
    "name", ["none.css", "%00", "app.css%00", "../config.py", "vendor", "a" * 300]
)
def test_a_name_that_is_not_a_file_is_a_404(client, name):
    assert client.get(f"/static/{name}").status_code == 404
