"""Have a browser make a passkey, and store it."""

from flask import Response
from flask_babel import gettext
from webauthn import (
    generate_registration_options,
    options_to_json,
    verify_registration_response,
)
from webauthn.helpers import parse_registration_credential_json
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from plaidapp import policy
from plaidapp.store import User
from plaidapp.store.people import passkeys, users

from . import challenges
from .challenges import Challenge, PasskeyError, not_accepted

SITE = "plaidapp"


def options(user: User) -> Response:
    """Return what the browser has to know. It makes one that can be found without a name."""
    asked = generate_registration_options(
        rp_id=challenges.host_or_404(),
        rp_name=SITE,
        user_id=users.opaque_id_of(user).encode(),
        user_name=user.username,
        challenge=challenges.new(_purpose(user)),
        timeout=challenges.PATIENCE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[
            PublicKeyCredentialDescriptor(key.credential_id) for key in passkeys.of_person(user.id)
        ],
    )
    return Response(options_to_json(asked), mimetype="application/json")


def add(user: User, answer: str, name: str) -> None:
    """Store the passkey that the browser has made. Raises PasskeyError."""
    challenge = challenges.take(_purpose(user))
    made = _verified(answer, challenge)
    challenge.use_up(user.id)
    users.lock_clicks(user.id)
    if len(passkeys.of_person(user.id)) >= policy.PASSKEYS_PER_PERSON:
        raise PasskeyError(
            gettext(
                "You have %(most)s passkeys, and that is the most. Remove one first.",
                most=policy.PASSKEYS_PER_PERSON,
            )
        )
    is_new = passkeys.add(
        user.id,
        credential_id=made.credential_id,
        public_key=made.credential_public_key,
        host=challenges.host(),
        name=name,
        sign_count=made.sign_count,
        can_be_copied=made.credential_device_type == CredentialDeviceType.MULTI_DEVICE,
    )
    if not is_new:
        raise PasskeyError(gettext("This passkey is here already."))


def _verified(answer: str, challenge: Challenge) -> VerifiedRegistration:
    try:
        made = parse_registration_credential_json(answer)
        return verify_registration_response(
            credential=made,
            expected_challenge=challenge.value,
            expected_rp_id=challenges.host() or "",
            expected_origin=challenges.origin_in(made.response.client_data_json),
            require_user_verification=True,
        )
    except Exception as error:  # anyone can send anything
        raise PasskeyError(not_accepted()) from error


def _purpose(user: User) -> str:
    return f"add {user.id}"
