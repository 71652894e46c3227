"""An operator, and what they see."""

import pytest

from plaidapp.extensions import db
from plaidapp.store.people import users
from tests.canned import canned
from tests.conftest import Person

__all__ = ["canned"]


@pytest.fixture
def operator(app):
    """A person who was made an operator, and has just logged in."""
    person = Person(app, "oscar")
    with app.app_context():
        users.by_id(person.id).is_operator = True
        db.session.commit()
    return person
