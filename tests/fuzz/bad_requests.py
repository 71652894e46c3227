"""Requests that no page of ours would send: every part of one may be odd, and most parts are.

`requests_to(app, ids)` is a strategy of them. They are made from what the code and the templates
name, so a new route, field or header is tried without a change here.
"""

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_from_bytes

from flask import Flask
from hypothesis import strategies as st

ROOT = Path(__file__).parent.parent.parent
SOURCES = [*ROOT.glob("plaidapp/**/*.py"), *ROOT.glob("templates/**/*.html")]
SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in SOURCES)
FIELDS = sorted(
    {*re.findall(r'(?:form|args)\.get\(\s*"(\w+)"', SOURCE)}
    | {*re.findall(r'\bname="(\w+)"', SOURCE)}
    | {
        *re.findall(
            r"^ +(\w+) = [\w.]*(?:Field|Day|Several|Amount|Note|Choice|Switch)\(", SOURCE, re.M
        )
    }
    | {"csrf_token", "submit"}
)
HEADERS = sorted(
    {*re.findall(r'headers\.get\(\s*"([\w-]+)"', SOURCE), *re.findall(r'"(HX-[\w-]+)"', SOURCE)}
    | {"Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie", "Expect"}
    | {"Forwarded", "Host", "HX-Boosted", "HX-Prompt", "HX-Source", "If-Match", "If-Modified-Since"}
    | {"If-None-Match", "If-Range", "If-Unmodified-Since", "Range", "Referer", "User-Agent"}
    | {"X-CSRFToken", "X-CSRF-Token", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"}
    | {"X-Request-Id", "X-HTTP-Method-Override", "Transfer-Encoding", "Content-Encoding"}
)
METHODS = ("GET", "POST", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "x")

GOOD = (
    *("1", "2", "keep", "delete", "2026-11-01", "on", "y", "hide", "category", "note", "newest"),
    *("FOOD_AND_DRINK", "ins_109508", "user_good", "user_custom", "UTC", "Asia/Tokyo", "dark"),
    *("alice", "alice@example.com", "correct horse battery staple", "month", "any", "true"),
    *("2026-11-20_1", "-1.50_2", "item", "/finance/", '{"override_accounts": []}'),
)
ODD = (
    *("", " ", "\0", "a\0b", "\n", "\r\nX: y", "-1", "0", "1.0", "1e999", "NaN", "Infinity", "-0"),
    *("9" * 30, "9" * 5000, "2147483648", "9223372036854775807", "9223372036854775808", "1_000"),
    *("\N{FULLWIDTH DIGIT ONE}", "\N{ARABIC-INDIC DIGIT THREE}", "\N{SUPERSCRIPT TWO}"),
    *("2026-02-30", "0000-00-00", "0001-01-01", "9999-12-31", "99999-01-01", "2026-11-01T00:00"),
    *("null", "[]", "{}", '{"a":', "[" * 3000, '"\\ud800"', '{"override_accounts": 5}'),
    *("%", "%zz", "%00", "%ff", "&", "=", ";", "../..", "/\\evil.example", "//evil.example"),
    *("http://[", "http://[::1", "//[", "https://x:y@evil.example:99999/", "javascript:x", "http:"),
    *("{{ 7*7 }}", "%(x)s %d {0}", "' OR 1=1 --", "<script>", "\u202e", "\ufdfa" * 50),
    *("\N{GRINNING FACE}" * 300, "e\u0301" * 500, "\ufffe", "\U0010ffff", "x" * 300, "x" * 70_000),
    *("bytes=0-", "bytes=5-1", "bytes=-", "bytes=0-1,3-4", 'W/"x"', '"', "*", "en;q=x,*;q=9,,-"),
    *("Sun, 99 Foo 99999 99:99:99 GMT", "Thu, 01 Jan 0001 00:00:00 GMT", "Basic !", "session="),
    *("zz-ZZ-u-nu-thai,x_y,a-b-c-d-e", "de_DE@euro;q=0.5", "tlh,art-lojban;q=1e400", "gzip;q=nan"),
)
RIGHT = {
    "account": ("1", "2"),
    "after": ("2026-11-20_1", "-1.50_2", "a b_3", "1"),
    "before": ("1", "2"),
    "category": ("", "FOOD_AND_DRINK", "INCOME"),
    "direction": ("in", "out", "any"),
    "do": ("category", "note", "hide", "unhide"),
    "end_date": ("2026-11-20",),
    "history": ("keep", "delete"),
    "institution_id": ("ins_109508",),
    "other": ("1", "2"),
    "override_username": ("user_custom", "user_good"),
    "result": ("1",),
    "row": ("1", "2", "3"),
    "sort": ("newest", "largest", "a-z"),
    "start_date": ("2026-10-01",),
}
"""Values of fields that lead further into the code."""
texts = st.sampled_from(ODD) | st.sampled_from(GOOD) | st.text(max_size=40)
header_texts = texts.map(lambda text: re.sub(r"[\r\n\0]", "", text)[:5000]).map(
    lambda text: text.encode().decode("latin-1")  # as a server hands over what it read
)
raw = st.binary(max_size=60) | st.sampled_from(
    (b"\xed\xa0\x80", b"\xff\xfe", b"%zz%", b"&&==&", b"a=%ed%a0%80", b"\0", b"=" * 2000)
)
named = st.sampled_from(FIELDS).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(RIGHT.get(name, GOOD)) | texts)
)
fields = st.lists(named | named | named | st.tuples(texts, texts), max_size=8)
json_values: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner),
    max_leaves=8,
)


@dataclass(frozen=True)
class Body:
    type: str
    content: bytes


@dataclass(frozen=True)
class BadRequest:
    method: str
    path: str
    query: bytes
    headers: Sequence[tuple[str, str]]
    body: Body
    has_token: bool
    is_htmx: bool
    changes: Mapping[str, str] = field(default_factory=dict)
    """Of the WSGI environment."""

    def environ(self, cookie: str, token: str) -> dict[str, Any]:
        """Make the request of a server for the owner of this session."""
        made: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path.encode().decode("latin-1"),
            "QUERY_STRING": self.query.decode("latin-1"),
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": cookie,
            "CONTENT_TYPE": self.body.type,
            "CONTENT_LENGTH": str(len(self.body.content)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body.content),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        if self.has_token:
            made["HTTP_X_CSRFTOKEN"] = token
        if self.is_htmx:
            made["HTTP_HX_REQUEST"] = "true"
        for name, value in self.headers:
            made["HTTP_" + name.upper().replace("-", "_")] = value
        return made | self.changes


def _form(pairs: list[tuple[str, str]]) -> bytes:
    return "&".join(f"{quote(name)}={quote(value)}" for name, value in pairs).encode()


def _percent(value: bytes) -> bytes:
    return quote_from_bytes(value).encode()


def _multipart(parts: list[tuple[str, str, bool]]) -> bytes:
    """Some parts are files. Names and values are as they come, so that a part may be broken."""
    lines = []
    for name, value, is_file in parts:
        file_name = f'; filename="{name}.txt"' if is_file else ""
        lines.append(f'--b\r\nContent-Disposition: form-data; name="{name}"{file_name}\r\n')
        lines.append(f"\r\n{value}\r\n")
    return "".join([*lines, "--b--\r\n"]).encode()


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


TYPES = (
    *("", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/plain"),
    *("application/json", "multipart/form-data", "multipart/form-data; boundary=", "/", "x;=;=,"),
    *("application/x-www-form-urlencoded; charset=utf-16", "multipart/mixed; boundary=b"),
    *("application/json; charset=nope", f"multipart/form-data; boundary={'b' * 500}"),
)
parts = st.lists(st.tuples(st.sampled_from(FIELDS) | texts, texts, st.booleans()), max_size=6)
right_bodies = (
    fields.map(lambda pairs: Body("application/x-www-form-urlencoded", _form(pairs)))
    | parts.map(lambda each: Body("multipart/form-data; boundary=b", _multipart(each)))
    | json_values.map(lambda value: Body("application/json", _json(value)))
    | st.just(Body("", b""))
)
contents = raw | fields.map(_form) | parts.map(_multipart) | json_values.map(_json)
cut = st.builds(
    lambda body, end: Body(body.type, body.content[:end]), right_bodies, st.integers(0, 200)
)
bodies = (
    right_bodies
    | right_bodies
    | right_bodies
    | st.builds(Body, st.sampled_from(TYPES), contents)
    | cut
)
changes = st.sampled_from(
    (
        *[{}] * 60,
        *({"CONTENT_LENGTH": text} for text in ("", "-1", "x", "5", "999999", "9" * 30)),
        *({"HTTP_HOST": host} for host in ("..", "", "é", "a b", "[", "evil.example:x", "x" * 300)),
        {"wsgi.url_scheme": "https", "HTTP_HOST": "bank.example"},
        {"HTTP_COOKIE": "session=.eJx; session=x; theme=\xff; ;=;"},
        {"HTTP_COOKIE": ""},
        {"REMOTE_ADDR": ""},
        {"SERVER_PROTOCOL": "HTTP/1.0", "HTTP_HOST": ""},
        {"CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": "1"},
    )
)


def requests_to(app: Flask, ids: Mapping[str, int]) -> st.SearchStrategy[BadRequest]:
    """Return requests to every route. `ids` are what the arguments of routes can name."""

    def to(rule: Any) -> st.SearchStrategy[BadRequest]:
        pieces = [
            st.sampled_from((str(ids.get(piece[1:-1].rpartition(":")[2], 1)),) * 20 + ODD[:30])
            if piece.startswith("<")
            else st.just(piece)
            for piece in re.split(r"(<[^>]+>)", rule.rule)
        ]
        right = sorted(rule.methods - {"HEAD", "OPTIONS"})
        return st.builds(
            BadRequest,
            method=st.sampled_from(right * 40 + [*METHODS]),
            path=st.tuples(*pieces).map("".join),
            query=st.just(b"") | fields.map(_form) | raw | raw.map(_percent),
            headers=st.just([])
            | st.lists(st.tuples(st.sampled_from(HEADERS), header_texts), max_size=3),
            body=bodies,
            has_token=st.sampled_from((True,) * 7 + (False,)),
            is_htmx=st.booleans(),
            changes=changes,
        )

    return st.sampled_from(list(app.url_map.iter_rules())).flatmap(to)
