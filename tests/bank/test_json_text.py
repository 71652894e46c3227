"""JSON is taken apart without changing a byte of its parts."""

import json
from json import JSONDecodeError

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from plaidapp.bank.json_text import decoded, elements, encoded, members, object_of


def test_the_members_of_an_object_stay_as_they_were_sent():
    text = ' { "a" : 1.50e3 , "b\\u0041":[1, {"}":"]"}],"c":"\\ud800" , "a":2}\n'
    assert members(text) == {"a": "2", "bA": '[1, {"}":"]"}]', "c": '"\\ud800"'}
    assert members("{}") == {}


def test_the_elements_of_an_array_stay_as_they_were_sent():
    assert elements('[ 1.0,"a,b" ,[],{"x":[1]}, NaN]') == ["1.0", '"a,b"', "[]", '{"x":[1]}', "NaN"]
    assert elements(" [ ] ") == []


@pytest.mark.parametrize("text", ["", "5", "[1", "[1 2]", "[,1]", '{"a":1}'])
def test_what_is_no_array_is_an_error(text):
    with pytest.raises(JSONDecodeError):
        elements(text)


@pytest.mark.parametrize("text", ["", "[]", '{"a"}', '{"a":}', "{1:2}", '{"a":1'])
def test_what_is_no_object_is_an_error(text):
    with pytest.raises(JSONDecodeError):
        members(text)


def test_bytes_that_are_not_utf8_stay():
    body = b'{"a":"\xff\xed\xa0\x80"}'
    assert object_of(members(decoded(body))) == body
    assert encoded(decoded(body)) == body


VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=10,
)


@settings(max_examples=25, deadline=None)
@given(some.dictionaries(some.text(), VALUES), some.sampled_from([None, 1]), some.booleans())
def test_every_text_comes_apart_as_it_was_put_together(value, indent, ascii_only):
    def text_of(part):
        return json.dumps(part, indent=indent, ensure_ascii=ascii_only)

    assert {name: json.loads(part) for name, part in members(text_of(value)).items()} == (
        json.loads(text_of(value))
    )
    texts = [text_of(part) for part in value.values()]
    assert elements(f" [ {' , '.join(texts)} ] ") == texts
