"""The codes that a person types where a second factor is asked for: at a log-in and to confirm."""

from flask_babel import gettext, lazy_gettext
from wtforms import StringField

from plaidapp.days import wait
from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.forms import TextForm
from plaidapp.store import User
from plaidapp.store.people import activity, factors, recovery_codes
from plaidapp.store.people.activity import Kind

from .. import mails, throttle
from . import codes

Refusal = tuple[int, dict[str, str]]
LONGEST = 64  # characters of a code that are looked at
NO_CODE = lazy_gettext("Enter a code.")
WRONG_CODE = lazy_gettext("This code is wrong, or it was used before.")


class CodesForm(TextForm):
    """Call `for_person` first. Who has no authenticator app has no field for its code."""

    has_factor: bool
    code = StringField(lazy_gettext("Code from your authenticator app"))
    recovery_code = StringField(lazy_gettext("Recovery code"))

    def for_person(self, user_id: int) -> None:
        mine = factors.of_person(user_id)
        self.has_factor = bool(mine)
        if not mine.app:
            del self.code

    @property
    def typed(self) -> StringField:
        """The field that counts: the recovery code, if there is one."""
        return self.recovery_code if self.recovery_code.data or not self.code else self.code

    @property
    def factor(self) -> str:
        return "code" if self.typed is self.code else "recovery code"


def check(form: CodesForm, user: User, device: str | None, *, wrong: int) -> Refusal | None:
    """Check the code, throttled. None if it is right: it is used up in the caller's transaction.

    Otherwise the field has a sentence for the person, and the status for a wrong code is `wrong`.
    `device` is the id of this browser if it is a known device of theirs.
    """
    given = (form.typed.data or "").strip()[:LONGEST]
    if not given:
        return _refused(form, str(NO_CODE), 422)
    attempt = throttle.code(user.id, device)
    if not attempt.refused:
        if _is_right(form, user, given):
            attempt.forgive()
            return None
        activity.note_again(user.id, Kind.WRONG_CODE)
        db.session.commit()
    event("second_factor_wrong", person=user.opaque_id, wait=attempt.seconds)
    if not attempt.wait:
        return _refused(form, str(WRONG_CODE), wrong)
    sentence = gettext(
        "There were too many wrong codes. Try again in %(wait)s.", wait=wait(attempt.wait)
    )
    return _refused(form, sentence, 429, {"Retry-After": str(attempt.seconds)})


def _is_right(form: CodesForm, user: User, given: str) -> bool:
    if form.typed is form.code:
        return codes.check(user.id, given)
    if not recovery_codes.use(user.id, given):
        return False
    left = str(recovery_codes.left(user.id))
    activity.note(user.id, Kind.RECOVERY_CODE_USED, left)
    mails.tell_of_change(user, Kind.RECOVERY_CODE_USED, left)
    return True


def _refused(
    form: CodesForm, sentence: str, status: int, headers: dict[str, str] | None = None
) -> Refusal:
    form.typed.errors = [sentence]
    return status, headers or {}
