"""Ask a browser for a passkey, and check what it answers."""

from collections.abc import Sequence

from flask import Response
from flask_babel import gettext
from webauthn import (
    generate_authentication_options,
    options_to_json,
    verify_authentication_response,
)
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import (
    AuthenticationCredential,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    UserVerificationRequirement,
)

from plaidapp.events import event
from plaidapp.extensions import db
from plaidapp.store import Passkey
from plaidapp.store.people import activity, passkeys, users
from plaidapp.store.people.activity import Kind

from .. import mails
from . import challenges
from .challenges import Challenge, PasskeyError, not_accepted


def options(purpose: str, known: Sequence[Passkey] = ()) -> Response:
    """Return what the browser has to know. It offers the `known` passkeys, or all for this host."""
    asked = generate_authentication_options(
        rp_id=challenges.host_or_404(),
        challenge=challenges.new(purpose),
        timeout=challenges.PATIENCE,
        allow_credentials=[PublicKeyCredentialDescriptor(key.credential_id) for key in known],
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return Response(options_to_json(asked), mimetype="application/json")


def check(answer: str, purpose: str, user_id: int | None = None) -> Passkey:
    """Return the passkey that has signed the challenge, and store that it was used.

    With `user_id` it has to be this person's. Raises PasskeyError otherwise.
    """
    challenge = challenges.take(purpose)
    given = _read(answer)
    passkey = passkeys.by_credential(given.raw_id)
    is_here = passkey is not None and passkey.host == challenges.host()
    if passkey is None or not is_here or user_id not in (None, passkey.user_id):
        raise PasskeyError(gettext("This passkey doesn’t belong to an account here."))
    verified = _verified(given, challenge, passkey)
    if not _is_of(passkey, given.response.user_handle):
        raise PasskeyError(not_accepted())
    challenge.use_up(passkey.user_id)
    if not passkeys.note_use(passkey, verified.new_sign_count):
        _note_copy(passkey)
        raise PasskeyError(
            gettext(
                "This passkey may have been copied, so it was not accepted. Log in in another way,"
                " and remove it."
            )
        )
    return passkey


def _read(answer: str) -> AuthenticationCredential:
    try:
        return parse_authentication_credential_json(answer)
    except Exception as error:  # anyone can send anything
        raise PasskeyError(not_accepted()) from error


def _verified(
    given: AuthenticationCredential, challenge: Challenge, passkey: Passkey
) -> VerifiedAuthentication:
    try:
        verified = verify_authentication_response(
            credential=given,
            expected_challenge=challenge.value,
            expected_rp_id=passkey.host,
            expected_origin=challenges.origin_in(given.response.client_data_json),
            credential_public_key=passkey.public_key,
            credential_current_sign_count=0,  # its copy is told apart from a forgery, after this
            require_user_verification=True,
        )
    except Exception as error:  # of the library, or of what it is built on
        raise PasskeyError(not_accepted()) from error
    can_be_copied = verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    if can_be_copied != passkey.can_be_copied:  # it never changes
        raise PasskeyError(not_accepted())
    return verified


def _is_of(passkey: Passkey, user_handle: bytes | None) -> bool:
    """Does the handle in the answer, if any, name the owner of the passkey?"""
    owner = users.opaque_id(passkey.user_id) or ""
    return user_handle in (None, owner.encode())


def _note_copy(passkey: Passkey) -> None:
    activity.note(passkey.user_id, Kind.PASSKEY_COPIED, passkey.name)
    if owner := users.by_id(passkey.user_id):
        mails.tell_of_change(owner, Kind.PASSKEY_COPIED, passkey.name)
    db.session.commit()
    event("passkey_copied", person=users.opaque_id(passkey.user_id))
