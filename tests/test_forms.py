"""Forms as no page of ours sends them get a sentence, and change nothing."""

from io import BytesIO

import pytest

from tests.pages import token_of

ROW = "/finance/transactions/1"
NAMELESS = b"--b\r\nContent-Disposition: form-data; x=y\r\n\r\nx\r\n--b--\r\n"
MULTIPART = "multipart/form-data; boundary=b"


@pytest.fixture
def send(app, connected, dump):
    """Send a form to a path; only its token is as it should be."""
    app.config["WTF_CSRF_ENABLED"] = True
    app.testing = False  # an error becomes a 500
    token = token_of(connected.client.get("/finance/items"))

    def post(path, **form):
        before = dump()
        answer = connected.client.post(path, headers={"X-CSRFToken": token}, **form)
        assert dump() == before
        return answer

    return post


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"data": {"note": (BytesIO(b"x"), "note.txt")}},
        {"data": {"category": (BytesIO(b"x"), "x"), "hidden": (BytesIO(b"y"), "y")}},
        {"json": {"note": "x", "category": ["FOOD_AND_DRINK"], "hidden": True}},
        {"json": {"note": {"a": 1}, "category": 5}},
        {"json": ["note"]},
        {"data": b'{"note"', "content_type": "application/json"},
        {"data": b"note=x", "content_type": "text/plain"},
        {"data": b"note=x", "content_type": "multipart/form-data"},
    ],
)
def test_an_edit_without_a_text_says_what_to_choose(send, form):
    answer = send(ROW, **form)
    assert answer.status_code == 422
    assert "Choose a category, a note, or whether to hide it." in answer.text


@pytest.mark.parametrize(
    "path",
    [
        *("/finance/transactions/edit", "/finance/items/sandbox", "/finance/time-zone"),
        *("/finance/pulls/total", "/auth/logout", ROW),
    ],
)
def test_a_part_without_a_name_makes_the_form_invalid(send, path):
    answer = send(path, data=NAMELESS, content_type=MULTIPART)
    assert answer.status_code == 400
    assert "This request is not valid." in answer.text


@pytest.mark.parametrize("form", [{}, {"json": {"row": 1, "do": []}}])
def test_an_edit_of_no_rows_says_to_select_some(send, form):
    answer = send("/finance/transactions/edit", **form)
    assert answer.status_code == 422
    assert "Select transactions first." in answer.text


@pytest.mark.parametrize("address", ["http://[", "http://[::1", "//[?q=x", "\xff", "x" * 5000, ""])
def test_an_address_of_the_page_that_cannot_be_read_is_no_address(connected, address):
    headers = {"HX-Request": "true", "HX-Current-URL": address}
    assert connected.client.get("/finance/transactions?q=book", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/finance/transactions", "/nothing", "/finance/", "/"])
def test_a_query_that_is_no_text_breaks_no_page(app, connected, client, path):
    app.testing = False
    for browser in (connected.client, client):
        answer = browser.get(path, environ_overrides={"QUERY_STRING": "q=\xff\xfe&\xe9"})
        assert answer.status_code in (200, 302, 404)


@pytest.mark.parametrize("path", ["/auth/login", "/auth/signup"])
def test_head_asks_for_the_page_and_sends_no_form(client, path):
    assert client.head(path, data={"username": "x", "password": "y"}).status_code == 200
