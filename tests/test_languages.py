"""Every text can be translated, and the visitor's locale formats numbers, amounts and dates."""

import re
from datetime import date, timedelta

import pytest
from babel import Locale
from babel.dates import format_date
from flask import render_template_string
from markupsafe import Markup
from sqlalchemy import select

from plaidapp import days, formats
from plaidapp.auth.time_zone_form import regions
from plaidapp.bank.error_sentences import MEANINGS
from plaidapp.extensions import db
from plaidapp.finance.connections.connect_forms import TEST_BANKS
from plaidapp.jobs.pull_job import REGISTERED
from plaidapp.operate import jobs_page
from plaidapp.store import Account, Item, LinkResult, LinkSession, PullItem, Transaction
from plaidapp.store.base.types import now
from plaidapp.store.connections import item_states, link_results
from plaidapp.store.people import users
from plaidapp.store.pulls import kinds, pulls
from tests.auth.test_access import calendar_of, mail_links_of
from tests.finance.connections.test_status_lines import STATES
from tests.pages import Page
from tests.pseudo import FORMATS, bracketed, translate, untranslatable
from tests.stored import stream_of

PSEUDO = "eo"
FILES = {"CSV", "JSON", "OFX", "QIF", "Beancount", "hledger"}
NAMES = {"plaidapp", "HTTP", "user_good", *FILES, *(bank.label for bank in TEST_BANKS)}
NAMES |= {region for region in regions() if region}
NAMES |= {place for zones in regions().values() for _, place in zones}
_LOCALE = Locale.parse(PSEUDO)
for names in (*_LOCALE.months["format"].values(), *_LOCALE.days["stand-alone"].values()):
    NAMES |= set(names.values())  # of months and days that Python writes
NAMES |= {*jobs_page.DUTIES, *jobs_page.DUTIES.values(), *kinds.KINDS, *REGISTERED}
UNREAD = ("static", "health", "webhooks", "styleguide")
"""Endpoints read only by programs and by those who work on the pages."""
PHASES = (
    *(pulls.QUEUED, pulls.ASKING, pulls.READING, pulls.STORING, pulls.COMPARING),
    *(pulls.PREPARING, pulls.DONE),
)
KINDS = (kinds.LINK, kinds.ACCOUNTS, kinds.TOTAL)
BAD_FORMS = {
    "/auth/login": [{}, {"username": "a", "password": "b"}],
    "/auth/signup": [
        {},
        {"username": "a@b", "email": "x", "password": "short"},
        {"username": "alice", "email": "alice@example.com", "password": "x" * 200},
        *(
            {"username": "new", "email": "new.person@example.com", "password": password}
            for password in (
                *("password" * 3, "a" * 15, "abcdefghijklmnop", "qwertyuiopasdfgh"),
                *("new.person@example.com", "passwordpassword password"),
            )
        ),
    ],
    "/finance/time-zone": [{}, {"time_zone": "x"}],
    "/finance/items/sandbox": [
        {"institution_id": "x", "override_password": "x"},
        {"institution_id": "ins_1", "override_username": "user_custom", "override_password": "{"},
        {"institution_id": "ins_1", "override_username": "user_custom", "override_password": "[]"},
    ],
    "/finance/pulls/total": [
        {},
        {"start_date": "1111-11-11", "end_date": "2026-01-31"},
        {"start_date": "2000-01-01", "end_date": "2000-01-01"},
        {"start_date": "2000-01-02", "end_date": "2000-01-01"},
        {"start_date": "1.2.2000", "end_date": "31.12.2000"},
    ],
}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def app(app, tmp_path):
    translate(app, PSEUDO, tmp_path)
    return app


@pytest.fixture
def ids(app, connected):
    """Make rows of alice's in every state; return their ids by the names of route arguments."""
    with app.app_context():
        users.by_id(connected.id).is_operator = True
        item = db.session.get(Item, 1)
        made = []
        for kind in KINDS:
            for phase in (*PHASES, pulls.FAILED):
                for state in (pulls.QUEUED, pulls.RUNNING, pulls.DONE, pulls.FAILED):
                    made.append(_pull(connected.id, item, kind, phase, state))
            for state in (pulls.QUEUED, pulls.RUNNING, pulls.FAILED):
                made.append(pulls.add(connected.id, kind, state=state, error_code="C"))
        stream = stream_of(db.session.get_one(Account, 1))
        db.session.add(stream)
        db.session.commit()
        return {
            "item_id": [1],
            "stream_id": [stream.id],
            "token": [calendar_of(app, connected.id)],
            "pull_id": [1, *(pull.id for pull in made)],
            "account_id": db.session.scalars(select(Account.id)).all(),
            "session_id": _sessions(connected.id),
            "address": ["unknown"],
            "transaction_id": db.session.scalars(select(Transaction.id)).all(),
            **{name: [token] for name, token in mail_links_of(users.by_id(connected.id)).items()},
        }


def _sessions(user_id):
    """Make a session of Link in every state; return their ids."""
    left = {"exit_status": "requires_credentials", "exit_code": "C", "request_id": "R"}
    over = {"ended_at": now(), "link_session_id": "L"}
    back = {"returned_at": now()}
    made = []
    for state, fields in (
        (pulls.QUEUED, {"sealed_url": b"u"}),
        (pulls.QUEUED, back),
        (pulls.QUEUED, {"expires_at": now()}),
        (pulls.FAILED, over | left),
        (pulls.FAILED, over | left | {"item_id": 1}),
        (pulls.FAILED, over),
        (pulls.DONE, over),
    ):
        code = link_results.ALREADY_CONNECTED if state == pulls.FAILED else None
        pull = pulls.add(user_id, kinds.CONNECT, state=state, error_code=code)
        session = LinkSession(user_id=user_id, purpose="connect", pull_id=pull.id, **fields)
        db.session.add(session)
        db.session.flush()
        made.append(session)
    for expires_at in (now(), now() + timedelta(hours=1)):
        held = {"state": "held", "sealed_token": b"t", "accounts": "[]", "like_item_id": 1}
        session = made[5].id
        db.session.add(
            LinkResult(
                session_id=session, token_hash=str(expires_at), expires_at=expires_at, **held
            )
        )
    db.session.commit()
    return [session.id for session in made]


def _pull(user_id, item, kind, phase, state):
    sentence = MEANINGS["ITEM_LOGIN_REQUIRED"].sentence if phase == pulls.FAILED else None
    code = "ITEM_LOGIN_REQUIRED" if sentence else None
    pull = pulls.add(user_id, kind, state=state, started_at=now(), ended_at=now())
    if kind == kinds.TOTAL:
        pull.start_date = pull.end_date = now().date()
    many = 1 if state == pulls.DONE else 1234
    pull.items.append(
        PullItem(
            item=item, phase=phase, accounts=many, added=many, modified=many, removed=many,
            error_code=code, error_message=sentence,
        )
    )  # fmt: skip
    return pull


@pytest.fixture
def data(app):
    """Return every stored text except those that are translated when shown."""

    def read():
        with app.app_context(), db.engine.connect() as connection:
            return NAMES | {
                value
                for table in db.metadata.sorted_tables
                for row in connection.execute(table.select()).mappings()
                for column, value in row.items()
                if isinstance(value, str) and "message" not in column
            }

    return read


def paths(app, ids):
    """Yield each address that a person can GET, with ids filled in."""
    for rule in app.url_map.iter_rules():
        if "GET" not in rule.methods or rule.endpoint.split(".")[0] in UNREAD:
            continue
        unknown = rule.arguments - ids.keys()
        assert not unknown, f"{rule.rule}: put an id of alice's for {unknown} into `ids`"
        path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for number in range(max(map(len, (ids[name] for name in rule.arguments)), default=1)):
            yield path.format(
                **{name: ids[name][number % len(ids[name])] for name in rule.arguments}
            )


def ask(person_or_client, method, path, **options):
    client = getattr(person_or_client, "client", person_or_client)
    headers = options.pop("headers", {}) | {"Accept-Language": PSEUDO}
    return client.open(path, method=method, headers=headers, buffered=True, **options)


def test_every_text_on_a_page_can_be_translated(app, client, alice, ids, data, subtests):
    known = data()
    seen = 0
    for path in paths(app, ids):
        for who in (alice,) if path.startswith("/finance") else (alice, client):
            for headers in ({}, {"HX-Request": "true"}):
                answer = ask(who, "GET", path, headers=headers)
                if answer.mimetype == "text/html" and answer.status_code < 300 and answer.text:
                    seen += 1
                    with subtests.test(path=path, headers=headers):
                        assert list(untranslatable(answer.text, known)) == []
    assert seen > 100


def test_every_text_on_an_empty_page_can_be_translated(app, charlie, data):
    known = data()
    for path in ("/finance/", "/finance/live", "/finance/transactions"):
        answer = ask(charlie, "GET", path)
        assert answer.status_code == 200
        assert list(untranslatable(answer.text, known)) == [], path


def test_every_text_of_a_refused_form_can_be_translated(client, connected, data, subtests):
    known = data()
    for path, forms in BAD_FORMS.items():
        for form in forms:
            for headers in ({}, {"HX-Request": "true"}):
                who = client if path.startswith("/auth") else connected
                answer = ask(who, "POST", path, data=form, headers=headers)
                with subtests.test(path=path, form=form, headers=headers):
                    assert answer.status_code in (401, 422)
                    assert list(untranslatable(answer.text, known)) == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/finance/pulls/total", 405),
        ("GET", "/finance/transactions?after=x", 400),
    ],
)
def test_an_error_can_be_translated(alice, data, method, path, status):
    known = data()
    for headers in ({}, {"HX-Request": "true"}):
        answer = ask(alice, method, path, headers=headers)
        assert answer.status_code == status
        assert list(untranslatable(answer.text, known)) == []


STORED = {
    **{meaning.sentence: bracketed(meaning.sentence) for meaning in MEANINGS.values()},
    "Access to this bank ends on 2031-02-03. Log in again to keep it.": (
        "⟦Access to this bank ends on DAY. Log in again to keep it.⟧"
    ),
    "A message from Plaid.": "A message from Plaid.",
}


def test_a_sentence_that_a_job_stored_is_translated_when_it_is_shown(app, connected, subtests):
    day = format_date(date(2031, 2, 3), "long", PSEUDO)
    for stored, shown in STORED.items():
        with app.app_context():
            item = db.session.get_one(Item, 1)
            item.state, item.error_message = item_states.ERROR, stored
            db.session.commit()

        with subtests.test(stored):
            text = Page(ask(connected, "GET", "/finance/items/1").text).find(id="item")[1]
            assert shown.replace("DAY", day) in text


def test_what_pages_say_of_a_connection_is_translated(app, connected, data, subtests):
    with app.app_context():
        item = db.session.get_one(Item, 1)
        healthy = {column.key: getattr(item, column.key) for column in Item.__table__.columns}
    for name, (fields, *_) in STATES.items():
        with app.app_context():
            item = db.session.get_one(Item, 1)
            for field, value in (healthy | fields(now())).items():
                setattr(item, field, value)
            db.session.commit()
        known = data()
        for path in ("/finance/items/1", "/finance/"):
            with subtests.test(name, path=path):
                shown = ask(connected, "GET", path).text
                said = shown.replace("It is new.", "")  # in Plaid's own words
                assert list(untranslatable(said, known)) == []


def test_untranslatable_finds_every_text_outside_of_brackets(app):
    good = "<p title='⟦x⟧'>⟦a ⟦1⟧ b⟧, 12 <b>Data &amp; co</b> – <img alt=''></p><script>x</script>"
    assert list(untranslatable(good, ["Data & co"])) == []
    for bad in (
        "<p>x</p>",
        "<p>⟦x⟧ y</p>",
        "<p title='x'>⟦y⟧</p>",
        "<img alt='x'>",
        "<a aria-label='x'></a>",
        "<input placeholder='x'>",
        "<input type='submit' value='x'>",
        "<title>x</title>",
        "<p>Databank</p>",
    ):
        assert list(untranslatable(bad, ["Data"])) != [], bad


@pytest.mark.parametrize(
    ("accepted", "language", "direction", "locale"),
    [
        (None, "en", "ltr", "en"),
        ("de-DE,de;q=0.9,en;q=0.8", "en", "ltr", "de-DE"),  # English words, German numbers
        ("ar", "en", "ltr", "ar"),
        (PSEUDO, PSEUDO, "ltr", PSEUDO),
        ("tlh, x-y, en-GB", "en-GB", "ltr", "en-GB"),
        ("*", "en", "ltr", "en"),
    ],
)
def test_a_page_declares_the_language_of_its_texts(client, accepted, language, direction, locale):
    headers = {"Accept-Language": accepted} if accepted else {}
    answer = client.get("/auth/login", headers=headers)
    tag, attributes, _ = Page(answer.text).elements[0]

    assert (tag, attributes["lang"], attributes["dir"]) == ("html", language, direction)
    assert attributes["data-locale"] == locale
    assert "Accept-Language" in answer.vary


def test_an_arabic_page_runs_from_right_to_left(app, client, tmp_path):
    translate(app, "ar", tmp_path / "arabic")
    answer = client.get("/auth/login", headers={"Accept-Language": "ar-EG"})

    assert '<html lang="ar-EG" dir="rtl"' in answer.text
    assert "⟦Log in⟧" in answer.text


AMOUNTS = {
    # 12.5 out and 1000 in, without the currency symbol; then a balance of 320.76 US dollars
    "en": ("12.50", "+1,000.00", "$320.76"),
    "en-GB": ("12.50", "+1,000.00", "US$320.76"),
    "de-DE": ("12,50", "+1.000,00", "320,76 $"),
    "fr": ("12,50", "+1 000,00", "320,76 $US"),
    "ja": ("12.50", "+1,000.00", "$320.76"),
    "ar": ("12.50", "+1,000.00", "320.76 US$"),
}


def test_a_text_of_a_page_escapes_what_it_names(app):
    text = """{{ _("Remove %(name)s", name=name) }}"""
    with app.test_request_context():
        shown = [render_template_string(text, name=name) for name in ("<b>", Markup("<b>"))]
        plain = app.jinja_env.overlay(autoescape=False).from_string(text).render(name="<b>")

    assert [*shown, plain] == ["Remove &lt;b&gt;", "Remove <b>", "Remove <b>"]


@pytest.fixture
def plain(app, connected):
    """Return alice's pages in a locale, with ordinary spaces and without brackets."""
    app.jinja_env.filters |= {
        name: getattr(module, name)
        for module in (days, formats)
        for name in FORMATS
        if hasattr(module, name)
    }

    def read(path, locale):
        html = connected.client.get(path, headers={"Accept-Language": locale}).text
        return html.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")

    return read


def test_amounts_follow_the_locale_and_dates_the_language_on_every_page(plain, today, subtests):
    for locale, (spent, earned, balance) in AMOUNTS.items():
        language = "en_GB" if locale == "en-GB" else "en"
        yesterday, long_ago = (
            format_date(today - timedelta(days=days), "long", language) for days in (1, 40)
        )
        for path in ("/finance/", "/finance/transactions"):
            with subtests.test(locale, path=path):
                page = plain(path, locale)
                assert f">{spent}<" in page
                assert f">{earned}<" in page
                assert f'title="{yesterday}"' in page
                assert f'title="{long_ago}"' in page
        for path in ("/finance/items", "/finance/items/1"):
            with subtests.test(locale, path=path):
                assert f">{balance}<" in plain(path, locale)
