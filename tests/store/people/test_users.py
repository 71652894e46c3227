"""People are found by name or address, in any spelling."""

import pytest
from sqlalchemy.exc import IntegrityError

from plaidapp.extensions import db
from plaidapp.store.people import users


@pytest.fixture
def zoe(context):
    user = users.add("Zoë", "Zoe@Example.com", "hash")
    db.session.commit()
    return user


@pytest.mark.parametrize("name", ["Zoë", "ZOË", " zoë ", "Zoe\u0308", "zoe@example.COM"])
def test_a_person_is_found_by_any_spelling(zoe, name):
    assert users.by_name(name).id == zoe.id


@pytest.mark.parametrize("name", ["Zoe", "", "zo\0e", "zoe@example", "%"])
def test_no_other_name_finds_a_person(zoe, name):
    assert users.by_name(name) is None


@pytest.mark.parametrize(
    ("name", "email"), [("zOË", "other@example.com"), ("other", "ZOE@example.com")]
)
def test_a_name_or_address_is_unique(zoe, name, email):
    users.add(name, email, "hash")
    with pytest.raises(IntegrityError):
        db.session.flush()
    db.session.rollback()


def test_a_person_is_found_by_id(zoe):
    assert users.by_id(zoe.id).username == "Zoë"
    assert users.by_id(zoe.id + 1) is None
