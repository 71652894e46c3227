"""The dates that a person may ask for."""

from datetime import timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.store import Item, Pull
from tests.pages import Page

PATHS = ("/finance/pulls/transactions", "/finance/pulls/total")
# Days from today, spelled out by `spell`.
TODAY, AGO_30, AGO_41, AGO_60 = "+0", "-30", "-41", "-60"
AGO_730, AGO_731, AGO_3650 = "-730", "-731", "-3650"

BAD = {
    "wrong way round": (
        TODAY,
        AGO_30,
        "end_date",
        "The end date is before the start date. Swap them.",
    ),
    "a word": ("tomorrow", TODAY, "start_date", "“tomorrow” is not a date."),
    "a word at the end": (AGO_30, "tomorrow", "end_date", "“tomorrow” is not a date."),
    "a 13th month": ("2026-13-01", TODAY, "start_date", "“2026-13-01” is not a date."),
    "30 February": (AGO_30, "2026-02-30", "end_date", "“2026-02-30” is not a date."),
    "29 February of no leap year": ("2025-02-29", TODAY, "start_date", "“2025-02-29” is not a"),
    "American": ("01/31/2026", TODAY, "start_date", "“01/31/2026” is not a date."),
    "a moment": ("2026-01-31T00:00", TODAY, "start_date", "“2026-01-31T00:00” is not a date."),
    "empty": ("", TODAY, "start_date", "Choose a start date."),
    "empty at the end": (AGO_30, "", "end_date", "Choose an end date."),
    "blank": ("  ", TODAY, "start_date", "Choose a start date."),
    "missing": (None, TODAY, "start_date", "Choose a start date."),
    "missing at the end": (AGO_30, None, "end_date", "Choose an end date."),
    "HTML": ("<script>x</script>", TODAY, "start_date", "“<script>x</script>” is not a date."),
    "NUL": ("2026-01-01\0", TODAY, "start_date", "is not a date."),
    "long": ("9" * 50_000, TODAY, "start_date", "is not a date."),
    "10 years back": (AGO_3650, TODAY, "start_date", "Banks share at most two years of history."),
    "731 days back": (AGO_731, TODAY, "start_date", "Banks share at most two years of history."),
    "the year 0000": ("0000-01-01", TODAY, "start_date", "“0000-01-01” is not a date."),
    "the year 0001": ("0001-01-01", TODAY, "start_date", "Choose a year between 1900 and 2100."),
    "the year 9999": (AGO_30, "9999-12-31", "end_date", "Choose a year between 1900 and 2100."),
    "the year 10000": (AGO_30, "10000-01-01", "end_date", "“10000-01-01” is not a date."),
    "an end before the first transaction": (
        AGO_60,
        AGO_41,
        "end_date",
        "Your first transaction is from ",
    ),
}
GOOD = {
    "a month": (AGO_30, TODAY),
    "one day": (TODAY, TODAY),
    "730 days": (AGO_730, TODAY),
    "up to the first transaction": (AGO_60, "-40"),
    "into the future": (TODAY, "+30"),
}


@pytest.fixture
def spell(today):
    def spelled(start, end):
        def one(text):
            if text and text[0] in "+-" and text[1:].isdigit():
                return str(today + timedelta(days=int(text)))
            return text

        form = {"start_date": one(start), "end_date": one(end)}
        return {name: text for name, text in form.items() if text is not None}

    return spelled


def test_bad_dates_get_a_sentence_beside_the_field_and_no_pull(connected, dump, spell, subtests):
    before = dump()

    for case, (start, end, field, sentence) in BAD.items():
        form = spell(start, end)
        for path in PATHS:
            with subtests.test(case, path=path):
                plain = connected.client.post(path, data=form)
                htmx = connected.htmx("POST", path, data=form)
                for answer in (plain, htmx):
                    page = Page(answer.text)
                    assert answer.status_code == 422
                    assert sentence in page.beside(field)
                    assert page.complaints() == {field}
                    assert (page.value(field) or "") == form.get(field, page.value(field)).strip(
                        " "
                    )
                    assert "<script>x" not in answer.text
                assert "<html" not in htmx.text
                assert "<html" in plain.text

    assert dump() == before


def test_both_dates_can_be_wrong_at_once(connected):
    answer = connected.htmx("POST", PATHS[0], data={"start_date": "a", "end_date": "b"})

    assert Page(answer.text).complaints() == {"start_date", "end_date"}


def test_good_dates_are_stored_with_the_pull(app, connected, spell, subtests):
    for case, (start, end) in GOOD.items():
        with subtests.test(case):
            form = spell(start, end)
            assert connected.client.post(PATHS[1], data=form).status_code == 302
            with app.app_context():
                pull = db.session.scalars(db.select(Pull).order_by(Pull.id.desc())).first()
                assert {"start_date": str(pull.start_date), "end_date": str(pull.end_date)} == form


def test_the_form_offers_valid_dates(connected):
    page = Page(connected.client.get("/finance/").text)
    form = {name: page.value(name) for name in ("start_date", "end_date")}

    assert connected.client.post(PATHS[1], data=form).status_code == 302


def test_without_transactions_any_end_is_accepted(app, alice, today):
    with app.app_context():
        db.session.add(Item(user_id=alice.id, plaid_item_id="i", access_token=b""))
        db.session.commit()
    day = str(today - timedelta(days=600))

    answer = alice.client.post(PATHS[0], data={"start_date": day, "end_date": day})

    assert answer.status_code == 302


def test_the_explorer_and_its_json_refuse_the_same_dates(connected, subtests):
    for start, end, field in (
        ("tomorrow", "", "start_date"),
        ("2026-02-01", "2026-01-01", "end_date"),
        ("", "2026-02-30", "end_date"),
        ("0001-01-01", "", "start_date"),
        ("", "9999-12-31", "end_date"),
    ):
        with subtests.test(start=start, end=end):
            query = {"start_date": start, "end_date": end}
            page = connected.client.get("/finance/transactions", query_string=query)
            data = connected.client.get("/finance/transactions.json", query_string=query)
            assert (page.status_code, data.status_code) == (422, 422)
            assert Page(page.text).complaints() == {field}
            assert Page(page.text).beside(field).endswith(".")
            assert data.json["error"]
            assert set(data.json["fields"]) == {field}
