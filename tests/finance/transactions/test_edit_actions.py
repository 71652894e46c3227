"""Edits of one transaction and of many, and their undo, with HTMX and as plain forms."""

import re
from datetime import timedelta

import pytest

from plaidapp.extensions import db
from plaidapp.store import Edit, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.transactions import edits
from tests.pages import Page

PATH = "/finance/transactions"


@pytest.fixture
def rows(app, connected):
    """The ids of the rows by name."""
    with app.app_context():
        return dict(db.session.execute(db.select(Transaction.name, Transaction.id)).all())


@pytest.fixture
def edited(app):
    """Return the person's category, note and whether it is hidden, for every row by name."""

    def read():
        with app.app_context():
            return {
                row.name: (row.own_category, row.note, row.hidden)
                for row in db.session.scalars(db.select(Transaction))
            }

    return read


NOTHING = (None, None, False)


def undo_of(answer):
    """The address of the notice's *Undo*."""
    return re.search(r'hx-post="(/finance/edits/[^"]+)"', answer.text)[1].replace("&amp;", "&")


def test_a_plain_form_edits_and_the_next_page_undoes(connected, rows, edited):
    path = f"{PATH}/{rows['Pay']}?q=pay"
    data = {"category": "TRAVEL", "note": " Zoë\r\nand me ", "hidden": "y"}
    answer = connected.client.post(path, data=data)
    assert (answer.status_code, answer.location) == (302, path)
    assert edited()["Pay"] == ("TRAVEL", "Zoë\nand me", True)
    page = connected.client.get(answer.location)
    assert "1 transaction changed." in page.text
    undone = connected.client.post(undo_of(page))
    assert undone.location == f"{PATH}?q=pay"
    assert edited()["Pay"] == NOTHING
    assert "Undone: 1 transaction restored." in connected.client.get(PATH).text
    assert "This was already undone." in connected.htmx("POST", undo_of(page)).text


def version_after(version):
    revision, _, day = version.partition("-")
    return f"{int(revision) + 1}-{day}"


def test_htmx_gets_the_row_and_the_totals_again(connected, rows, edited):
    page = Page(connected.client.get(PATH).text)
    revision = page.value("revision")
    data = {"category": "TRAVEL", "note": "", "revision": revision}
    answer = connected.htmx("POST", f"{PATH}/{rows['Pay']}", data=data)
    assert f'hx-target="#t-{rows["Pay"]}"' in answer.text
    assert 'hx-target="#tally"' in answer.text
    assert Page(answer.text).value("revision") == version_after(revision)
    assert edited()["Pay"] == ("TRAVEL", None, False)
    again = connected.htmx("POST", f"{PATH}/{rows['Pay']}", data=data)
    assert "Nothing changed." in again.text
    assert "/undo" not in again.text.split('hx-target="#notice"')[1]


def test_a_change_in_between_is_still_polled_for(connected, rows):
    """The page showed an older version, so it still has to poll for the other change."""
    answer = connected.htmx("POST", f"{PATH}/{rows['Pay']}", data={"note": "x", "revision": "0"})
    assert 'id="live"' not in answer.text


def test_a_hidden_row_is_removed_unless_hidden_rows_are_shown(connected, rows):
    data = {"hidden": "y"}
    gone = connected.htmx("POST", f"{PATH}/{rows['Pay']}", data=data).text
    assert f'hx-target="#t-{rows["Pay"]}" hx-swap="delete"' in gone
    shown = connected.htmx("POST", f"{PATH}/{rows['Cent']}?hidden=any", data=data).text
    assert f'hx-target="#t-{rows["Cent"]}" hx-swap="outerHTML"' in shown
    assert not re.search(r"\bPay\b", connected.client.get(PATH).text)
    assert connected.client.get(f"{PATH}.json").json["total_transactions"] == 1
    assert connected.client.get(f"{PATH}.json?hidden=any").json["total_transactions"] == 3


@pytest.fixture
def one_day(app, connected, today):
    """Put all three rows on one day; return it."""
    with app.app_context():
        db.session.execute(db.update(Transaction).values(date=today))
        db.session.commit()
    return today


def heading_of(html, day):
    return re.sub(r"\s+", " ", html.split(f'hx-target="#day-{day}"')[1].split("</hx-partial>")[0])


def test_the_totals_of_the_day_are_sent_again(connected, rows, one_day):
    path = connected.client.get(PATH).text
    assert "+$987.49" in path.split(f'id="day-{one_day}"')[1].split("</h2>")[0]
    hidden = connected.htmx("POST", f"{PATH}/{rows['Pay']}", data={"hidden": "y"}).text
    assert "−$12.51" in heading_of(hidden, one_day)
    shown = connected.htmx("POST", f"{PATH}/{rows['Pay']}", data={"hidden": ""}).text
    assert "+$987.49" in heading_of(shown, one_day)


def test_a_day_with_one_row_left_has_no_totals_and_an_empty_one_no_heading(
    connected, rows, one_day
):
    names = list(rows.values())
    two = {"row": names[:2], "do": "hide"}
    heading = heading_of(connected.htmx("POST", f"{PATH}/edit", data=two).text, one_day)
    assert f'id="day-{one_day}"' in heading
    assert 'class="sum"' not in heading
    last = connected.htmx("POST", f"{PATH}/{names[2]}", data={"hidden": "y"}).text
    assert f'hx-target="#day-{one_day}" hx-swap="delete"' in last


def test_a_list_by_amount_has_no_days_to_send(connected, rows):
    answer = connected.htmx("POST", f"{PATH}/{rows['Pay']}?sort=amount", data={"hidden": "y"})
    assert "#day-" not in answer.text


BAD = (
    ({"category": "MINE"}, "Choose one from the list."),
    ({"category": "\0"}, "Choose one from the list."),
    ({"note": "a" * 501}, "A note can have at most 500 characters."),
)


def test_a_refused_edit_changes_nothing(connected, rows, dump, subtests):
    before = dump()
    for data, sentence in BAD:
        with subtests.test(sentence):
            path = f"{PATH}/{rows['Pay']}"
            plain = connected.client.post(path, data=data)
            htmx = connected.htmx("POST", path, data=data)
            assert (plain.status_code, htmx.status_code) == (422, 422)
            assert sentence in plain.text
            assert sentence in htmx.text
            assert htmx.headers["HX-Retarget"] == f"#edit-{rows['Pay']}"
    assert dump() == before


def test_only_fields_that_were_sent_change(connected, rows, edited, dump):
    path = f"{PATH}/{rows['Pay']}"
    everything = {"category": "TRAVEL", "note": "x", "hidden": "y"}
    connected.client.post(path, data=everything)
    before = dump()
    for nothing in ({}, {"notes": "y"}):
        answer = connected.client.post(path, data=nothing)
        assert answer.status_code == 422
        assert "Choose a category, a note, or whether to hide it." in answer.text
    assert dump() == before
    connected.client.post(path, data={"category": ""})
    assert edited()["Pay"] == (None, "x", True)
    connected.client.post(path, data={"note": ""})
    assert edited()["Pay"] == (None, None, True)
    connected.client.post(
        path, data={"hidden": ""}
    )  # as the form sends it when the box is not checked
    assert edited()["Pay"] == NOTHING


def test_going_back_to_the_banks_category_changes_nothing_else(connected, rows, edited):
    path = f"{PATH}/{rows['Pay']}"
    connected.client.post(path, data={"category": "TRAVEL", "note": "x", "hidden": "y"})
    form = connected.client.get(path).text.split('class="back-to-bank"')[1].split("</form>")[0]
    sent = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    connected.client.post(path, data=sent)
    assert edited()["Pay"] == (None, "x", True)


def test_a_present_category_that_plaid_lacks_can_be_kept(app, connected, rows, edited):
    with app.app_context():
        edits.apply(connected.id, edits.of_ids(connected.id, [rows["Pay"]]), {"own_category": "Us"})
        db.session.commit()
    connected.client.post(f"{PATH}/{rows['Pay']}", data={"category": "Us", "note": "x"})
    assert edited()["Pay"] == ("Us", "x", False)


@pytest.mark.parametrize(
    ("do", "expected"),
    [
        ({"do": "category", "category": "TRAVEL"}, ("TRAVEL", None, False)),
        ({"do": "note", "note": "ours"}, (None, "ours", False)),
        ({"do": "hide"}, (None, None, True)),
    ],
)
def test_many_rows_are_edited_at_once_and_undone(connected, rows, edited, do, expected):
    chosen = [rows["Pay"], rows["Cent"]]
    answer = connected.htmx("POST", f"{PATH}/edit", data=do | {"row": chosen})
    assert "2 transactions changed." in answer.text
    assert (edited()["Pay"], edited()["Cent"]) == (expected, expected)
    assert edited()["Book <b>shop</b>"] == NOTHING
    undone = connected.htmx("POST", undo_of(answer))
    assert undone.headers["HX-Trigger"] == "ledger-changed"
    assert set(edited().values()) == {NOTHING}


def test_the_last_edit_can_be_undone_after_its_notice_is_gone(app, connected, rows, edited):
    def offered():
        page = connected.client.get(f"{PATH}?direction=in").text.split('id="tally"')[1]
        found = re.search(r'hx-post="([^"]+/undo[^"]*)"', page)
        return found and found[1].replace("&amp;", "&")

    assert offered() is None
    for note in ("first", "second"):
        connected.htmx("POST", f"{PATH}/{rows['Pay']}", data={"note": note})
    assert offered() == offered()
    for note in ("first", None):
        connected.client.post(offered())
        assert edited()["Pay"][1] == note
    assert offered() is None
    connected.htmx("POST", f"{PATH}/{rows['Pay']}", data={"note": "old"})
    with app.app_context():
        db.session.execute(db.update(Edit).values(made_at=now() - timedelta(hours=25)))
        db.session.commit()
    assert offered() is None


def test_filtering_keeps_the_notice(connected):
    assert 'hx-target="#notice"' not in connected.htmx("GET", f"{PATH}?q=pay").text


def test_unhide(connected, rows, edited):
    connected.client.post(f"{PATH}/{rows['Pay']}", data={"hidden": "y"})
    connected.client.post(f"{PATH}/edit?hidden=only", data={"all": "y", "do": "unhide"})
    assert edited()["Pay"] == NOTHING


def test_every_row_of_a_filter_is_edited(connected, edited):
    answer = connected.client.post(f"{PATH}/edit?direction=out", data={"all": "y", "do": "hide"})
    assert answer.location == f"{PATH}?direction=out"
    assert {name for name, row in edited().items() if row[2]} == {"Book <b>shop</b>", "Cent"}
    page = connected.client.get(answer.location)
    assert "2 transactions changed." in page.text


def test_htmx_gets_the_whole_list_after_an_edit_of_every_row(connected):
    data = {"all": "y", "do": "note", "note": "x"}
    answer = connected.htmx("POST", f"{PATH}/edit", data=data)
    assert 'hx-target="#results"' in answer.text
    assert "3 transactions changed." in answer.text


BAD_MANY = (
    ({}, "Select transactions first."),
    ({"do": "hide"}, "Select transactions first."),
    ({"do": "hide", "row": "x"}, "This transaction does not exist."),
    ({"do": "hide", "row": "-1"}, "This transaction does not exist."),
    ({"do": "hide", "row": str(2**63)}, "This transaction does not exist."),
    ({"do": "hide", "row": [str(n) for n in range(5001)]}, "Choose at most 5000."),
    ({"do": "delete", "all": "y"}, "Choose what to change."),
    ({"all": "y"}, "Choose what to change."),
    ({"do": "category", "category": "MINE", "all": "y"}, "Choose one from the list."),
    ({"do": "note", "note": "a" * 501, "all": "y"}, "A note can have at most 500 characters."),
)


@pytest.mark.both_databases
def test_a_refused_bulk_edit_changes_nothing(connected, dump, subtests):
    before = dump()
    for data, sentence in BAD_MANY:
        with subtests.test(sentence, data=data):
            htmx = connected.htmx("POST", f"{PATH}/edit", data=data)
            plain = connected.client.post(f"{PATH}/edit", data=data)
            assert (htmx.status_code, plain.status_code) == (422, 422)
            assert sentence in htmx.text
            assert sentence in plain.text
    nonsense = connected.client.post(f"{PATH}/edit?sort=id", data={"all": "y", "do": "hide"})
    assert nonsense.status_code == 422
    assert dump() == before


def test_a_bulk_edit_of_too_many_rows_is_refused(connected, dump, monkeypatch):
    monkeypatch.setattr(edits, "MOST_ROWS", 2)
    before = dump()
    answer = connected.htmx("POST", f"{PATH}/edit", data={"all": "y", "do": "hide"})
    assert answer.status_code == 422
    assert "You can change at most 2 transactions at once. Narrow the filter." in answer.text
    assert dump() == before


def test_another_person_can_edit_nothing(app, connected, charlie, rows, dump):
    with app.app_context():
        db.session.add(Edit(user_id=connected.id))
        db.session.commit()
    before = dump()
    own = charlie.htmx("POST", f"{PATH}/edit", data={"row": list(rows.values()), "do": "hide"})
    assert "Nothing changed." in own.text
    assert charlie.client.post(f"{PATH}/{rows['Pay']}", data={"note": "x"}).status_code == 404
    assert charlie.client.post("/finance/edits/1/undo").status_code == 404
    charlie.client.post(f"{PATH}/edit", data={"all": "y", "do": "hide"})
    assert dump() == before


def test_enter_in_the_bulk_note_submits_the_note(connected):
    """Enter presses the first button of the form."""
    form = connected.client.get(PATH).text.split('<form id="bulk"')[1].split("</form>")[0]
    assert re.findall(r'<button name="do" value="(\w+)"', form)[0] == "note"
    assert form.index("<button") == form.index('<button name="do" value="note"')


@pytest.fixture
def coffees(app, connected, rows):
    """Two more rows of the merchant that *Pay* is from. One of them is a side of a transfer."""
    with app.app_context():
        table = Transaction.__table__
        for number, other_side in ((1, None), (2, rows["Cent"])):
            row = db.session.execute(db.select(table).where(table.c.id == rows["Pay"])).one()
            values = {name: value for name, value in row._asdict().items() if name != "size"}
            own = {"id": 100 + number, "plaid_transaction_id": f"copy {number}"}
            own |= {"name": f"Copy {number}", "other_side_id": other_side}
            db.session.execute(db.insert(table).values(values | own))
        db.session.commit()


def test_a_merchants_others_get_the_same_category(connected, coffees, rows, edited):
    """It is offered after an edit, and one click changes them all or undoes it."""
    answer = connected.htmx("POST", f"{PATH}/{rows['Pay']}", data={"category": "TRAVEL_FLIGHTS"})
    others = f"{PATH}/{rows['Pay']}/others"
    assert "Also change 1 other from Pay" in answer.text
    assert f'action="{others}"' in answer.text
    page = connected.client.get(f"{PATH}/{rows['Pay']}")
    assert "Also change 1 other from Pay" in page.text
    assert "To Flights. New transactions keep the bank’s category." in page.text
    answer = connected.htmx("POST", others)
    assert "1 transaction changed." in answer.text
    assert (edited()["Copy 1"], edited()["Copy 2"]) == (("TRAVEL", None, False), NOTHING)
    assert "Also change" not in connected.client.get(f"{PATH}/{rows['Pay']}").text
    assert connected.client.get(f"{PATH}?category=TRAVEL_FLIGHTS").text.count("Flights") > 2
    connected.htmx("POST", undo_of(answer))
    assert edited()["Copy 1"] == NOTHING
    assert edited()["Pay"] == ("TRAVEL", None, False)


def test_a_category_that_nobody_chose_is_not_offered_for_others(
    connected, charlie, coffees, rows, dump
):
    assert "Also change" not in connected.client.get(f"{PATH}/{rows['Pay']}").text
    before = dump()
    answer = connected.htmx("POST", f"{PATH}/{rows['Pay']}/others")
    assert answer.status_code == 422
    assert "Choose a category for this transaction first." in answer.text
    assert charlie.client.post(f"{PATH}/{rows['Pay']}/others").status_code == 404
    assert dump() == before


@pytest.mark.both_databases
def test_a_detailed_category_can_be_chosen_filtered_and_searched(connected, rows, edited):
    many = {"row": rows["Cent"], "do": "category", "category": "FOOD_AND_DRINK_GROCERIES"}
    connected.client.post(f"{PATH}/edit", data=many)
    connected.client.post(f"{PATH}/{rows['Pay']}", data={"category": "FOOD_AND_DRINK"})
    assert edited()["Cent"] == edited()["Pay"] == ("FOOD_AND_DRINK", None, False)
    for query, found in (
        ("category=FOOD_AND_DRINK_GROCERIES", {"Cent"}),
        ("category=FOOD_AND_DRINK", {"Cent", "Pay"}),
        ("q=groceries", {"Cent"}),
        ("q=Grocery", {"Cent"}),
        ("q=groceries+cent", {"Cent"}),
        ("q=groceries+pay", set()),
        ("category=INCOME_WAGES", set()),
    ):
        shown = connected.client.get(f"/finance/transactions.json?{query}").json
        assert {row["name"] for row in shown["transactions"]} == found, query
        assert shown["total_transactions"] == len(found)
    page = Page(connected.client.get(f"{PATH}?category=FOOD_AND_DRINK_GROCERIES").text)
    assert "Groceries" in page.find(**{"class": "chip"})[1]
    form = connected.client.get(f"{PATH}/{rows['Cent']}").text
    assert '<option value="FOOD_AND_DRINK_GROCERIES" selected>Groceries</option>' in form
    for refused in ("FOOD_AND_DRINK_MOON", "GROCERIES", "FOOD_AND_DRINK_"):
        answer = connected.client.post(f"{PATH}/{rows['Pay']}", data={"category": refused})
        assert answer.status_code == 422
