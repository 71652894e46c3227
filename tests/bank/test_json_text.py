"""JSON is taken apart without changing a byte of its parts."""

from json import JSONDecodeError

import pytest

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
