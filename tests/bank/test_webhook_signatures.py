"""Plaid's signatures are accepted, and everything that only looks like one is refused."""

import base64
import contextlib
import hashlib
import hmac
import json
import random
import string
import time

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from plaidapp.bank.webhook_signatures import (
    MAX_AGE,
    MAX_TOKEN,
    ForgedError,
    check_signature,
    key_id,
)
from sandbox.signing import SigningKey
from sandbox.store import Store

BODY = b'{\n  "webhook_type": "TRANSACTIONS",\n  "webhook_code": "SYNC_UPDATES_AVAILABLE"\n}'
NOW = time.time()
KID = "6c5516e1-92dc-479e-a8ff-5a51992e0001"
KEY = ec.generate_private_key(ec.SECP256R1())
STRANGERS_KEY = ec.generate_private_key(ec.SECP256R1())


def jwk_of(key) -> dict[str, object]:
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": KID, "expired_at": None}


JWK = jwk_of(KEY)


def base64url(text: bytes) -> bytes:
    return base64.urlsafe_b64encode(text).rstrip(b"=")


def es256(key=KEY):
    algorithm = ECAlgorithm(ECAlgorithm.SHA256)
    return lambda signed: algorithm.sign(signed, key)


def hs256(secret: bytes):
    return lambda signed: hmac.new(secret, signed, hashlib.sha256).digest()


def claims(body: bytes = BODY, **other) -> dict[str, object]:
    """Return claims like Plaid's, without those that are None."""
    made = {"iat": int(NOW), "request_body_sha256": hashlib.sha256(body).hexdigest()} | other
    return {name: value for name, value in made.items() if value is not None}


def header(**other) -> dict[str, object]:
    made = {"alg": "ES256", "kid": KID, "typ": "JWT"} | other
    return {name: value for name, value in made.items() if value is not None}


def forge(head=None, payload=None, sign=None) -> str:
    """Build a token by hand, because PyJWT refuses most of these. Strings go in as they are."""
    parts = (header() if head is None else head, claims() if payload is None else payload)
    texts = [
        pull_item if isinstance(pull_item, str) else json.dumps(pull_item) for pull_item in parts
    ]
    signed = b".".join(base64url(text.encode()) for text in texts)
    return (signed + b"." + base64url((sign or es256())(signed))).decode()


def check(token: str, body: bytes = BODY, jwk=JWK, now: float = NOW) -> str:
    """Verify as the route does."""
    kid = key_id(token, body, now)
    check_signature(token, jwk)
    return kid


def test_the_sandboxs_signatures_are_accepted():
    store = Store(None)
    signing = SigningKey(store)

    for body in (BODY, b"", b"\0\xff" * 1000):
        token = signing.sign(body)
        assert check(token, body, signing.public_jwk(), time.time()) == signing.kid

    store.close()


def test_a_correct_handmade_token_is_accepted():
    assert check(forge()) == KID


@pytest.mark.parametrize("seconds", [-MAX_AGE + 1, -1, 0, 1, MAX_AGE - 1])
def test_clocks_may_differ_by_five_minutes(seconds):
    assert check(forge(payload=claims(iat=int(NOW) + seconds)), now=int(NOW)) == KID


PUBLIC_PEM = KEY.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
PUBLIC_RAW = KEY.public_key().public_bytes(
    serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
)
SHARED_SECRETS = {
    "empty": b"",
    "PEM": PUBLIC_PEM,
    "raw point": PUBLIC_RAW,
    "x": str(JWK["x"]).encode(),
    "JWK": json.dumps(JWK).encode(),
}


@pytest.mark.parametrize("alg", ["HS256", "ES256", "none"])
@pytest.mark.parametrize("secret", SHARED_SECRETS.values(), ids=SHARED_SECRETS)
def test_a_token_signed_with_a_shared_secret_is_refused(alg, secret):
    token = forge(header(alg=alg), sign=hs256(secret))
    with pytest.raises(ForgedError):
        check(token)
    with pytest.raises(ForgedError):
        check_signature(token, JWK)


UNSIGNED = ["none", "None", "NONE", "nOnE", "", "ES256"]


@pytest.mark.parametrize("alg", UNSIGNED)
def test_an_unsigned_token_is_refused_under_any_name(alg):
    token = forge(header(alg=alg), sign=lambda _: b"")
    with pytest.raises(ForgedError):
        check(token)
    with pytest.raises(ForgedError):
        check_signature(token, JWK)


ALGORITHMS = ["ES384", "ES512", "ES256K", "RS256", "PS256", "EdDSA", "es256", "ES256 ", 256, [], {}]


@pytest.mark.parametrize("alg", [*ALGORITHMS, True, None], ids=str)
def test_only_es256_is_accepted(alg):
    with pytest.raises(ForgedError):
        key_id(forge(header(alg=alg)), BODY, NOW)


ODD_KEY_IDS = {
    "missing": None,
    "empty": "",
    "number": 7,
    "list": [KID],
    "object": {"kid": KID},
    "true": True,
    "path": "../../etc/passwd",
    "space": f"{KID} ",
    "line": f"{KID}\n",
    "NUL": "a\0b",
    "quote": "' OR 1=1 --",
    "not ASCII": "ключ",
    "digits of another script": "٣٣٣",
    "surrogate": "\ud800",
    "huge": "a" * 129,
    "vast": "a" * 3000,
}


@pytest.mark.parametrize("kid", ODD_KEY_IDS.values(), ids=ODD_KEY_IDS)
def test_a_malformed_key_id_costs_no_lookup(kid):
    with pytest.raises(ForgedError):
        key_id(forge(header(kid=kid)), BODY, NOW)


ODD_TIMES = {
    "missing": None,
    "old": int(NOW) - MAX_AGE - 2,
    "in the future": int(NOW) + MAX_AGE + 2,
    "zero": 0,
    "true": True,
    "float": NOW,
    "whole float": float(int(NOW)),
    "text": str(int(NOW)),
    "list": [int(NOW)],
    "astronomic": 10**400,
    "astronomically long ago": -(10**400),
}


@pytest.mark.parametrize("iat", ODD_TIMES.values(), ids=ODD_TIMES)
def test_a_wrong_time_of_issue_is_refused(iat):
    with pytest.raises(ForgedError):
        check(forge(payload=claims(iat=iat)))


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "1" * 2000, "1e3"])
def test_a_time_that_is_not_an_integer_is_refused(number):
    payload = f'{{"iat": {number}, "request_body_sha256": "{hashlib.sha256(BODY).hexdigest()}"}}'
    with pytest.raises(ForgedError):
        check(forge(payload=payload))


@pytest.mark.parametrize("when", ["exp", "nbf"])
@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", '"soon"', "null", "[]", "true"])
def test_other_time_claims_never_crash_the_check(when, number):
    payload = json.dumps(claims())[:-1] + f', "{when}": {number}}}'
    with contextlib.suppress(ForgedError):
        check(forge(payload=payload))


CHANGED = [b"", BODY + b" ", BODY[:-1], BODY.replace(b"  ", b""), BODY.lower(), b"\0" + BODY]


@pytest.mark.parametrize("body", CHANGED)
def test_every_byte_of_the_body_counts(body):
    with pytest.raises(ForgedError):
        check(forge(), body)


HASH = hashlib.sha256(BODY).hexdigest()
ODD_HASHES = {
    "missing": None,
    "empty": "",
    "shorter": HASH[:-1],
    "longer": HASH + "0",
    "capitals": HASH.upper(),
    "number": int(HASH, 16),
    "list": [HASH],
    "not ASCII": "é" * 64,
    "surrogate": "\ud800" * 64,
    "true": True,
}


@pytest.mark.parametrize("digest", ODD_HASHES.values(), ids=ODD_HASHES)
def test_a_wrong_hash_of_the_body_is_refused(digest):
    with pytest.raises(ForgedError):
        check(forge(payload=claims(request_body_sha256=digest)))


def test_another_persons_key_is_refused():
    with pytest.raises(ForgedError):
        check(forge(sign=es256(STRANGERS_KEY)))


@pytest.mark.parametrize("pull_item", [0, 1], ids=["header", "claims"])
def test_the_signature_covers_the_header_and_the_claims(pull_item):
    parts = forge().split(".")
    parts[pull_item] = forge(header(jti="x"), claims(jti="x")).split(".")[pull_item]
    with pytest.raises(ForgedError):
        check(".".join(parts))


def test_a_signature_is_not_valid_for_a_new_time():
    old = forge(payload=claims(iat=int(NOW) - 3600))
    unsigned = forge(sign=lambda _: b"")
    with pytest.raises(ForgedError):
        check(unsigned + old.rpartition(".")[2])


@pytest.mark.parametrize(
    "curve", [ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1()], ids=lambda curve: curve.name
)
def test_a_key_on_another_curve_is_refused(curve):
    other = ec.generate_private_key(curve)
    token = forge(sign=lambda signed: other.sign(signed, ec.ECDSA(ECAlgorithm.SHA256())))
    with pytest.raises(ForgedError):
        check(token, jwk=jwk_of(other))


@pytest.mark.parametrize(
    "moment", [1, int(NOW), int(NOW) + 3600, 0, "2026-01-01", False], ids=range(6)
)
def test_an_expired_key_is_refused(moment):
    check(forge(), jwk=JWK | {"expired_at": None})
    with pytest.raises(ForgedError):
        check(forge(), jwk=JWK | {"expired_at": moment})


ODD_KEYS = {
    "empty": {},
    "no x": {name: value for name, value in JWK.items() if name != "x"},
    "x is a number": JWK | {"x": 7},
    "x is null": JWK | {"x": None},
    "x is short": JWK | {"x": "AA"},
    "x is no base64": JWK | {"x": "!" * 43},
    "not on the curve": JWK | {"x": JWK["y"]},
    "another kind": JWK | {"kty": "RSA"},
    "secret": {"kty": "oct", "k": "AAAA"},
    "curve unknown": JWK | {"crv": "P-1"},
    "curve is a list": JWK | {"crv": []},
    "private pull_item is odd": JWK | {"d": 5},
}


@pytest.mark.parametrize("jwk", ODD_KEYS.values(), ids=ODD_KEYS)
def test_a_malformed_key_is_refused(jwk):
    with pytest.raises(ForgedError):
        check(forge(), jwk=jwk)


GARBAGE = {
    "empty": "",
    "spaces": "   ",
    "dots": "..",
    "more dots": "....",
    "a word": "Bearer",
    "one pull_item": forge().split(".")[0],
    "two parts": forge().rpartition(".")[0],
    "four parts": forge() + ".AAAA",
    "encrypted": "a.b.c.d.e",
    "not base64": "!!!.@@@.###",
    "not ASCII": "é.ü.ß",
    "as the header arrives": forge().encode().decode("latin-1") + "\xff",
    "surrogate": "\ud800",
    "NUL": "\0",
    "too long": forge() + "A" * MAX_TOKEN,
    "long claims": forge(payload=claims(more="a" * MAX_TOKEN)),
    "header is a list": forge(head=["ES256"]),
    "header is a number": forge(head="5"),
    "header is null": forge(head="null"),
    "header is no JSON": forge(head="{alg: ES256}"),
    "header is deep": forge(head="[" * 2000),
    "claims are a list": forge(payload=[1]),
    "claims are text": forge(payload='"iat"'),
    "claims are null": forge(payload="null"),
    "claims are no JSON": forge(payload="{"),
    "claims are deep": forge(payload="[" * 2000),
    "payload apart": forge(header(b64=False, crit=["b64"])),
    "critical": forge(header(crit=["x"], x=1)),
    "two tokens": f"{forge()},{forge()}",
    "quoted": f'"{forge()}"',
    "a JSON object": json.dumps({"payload": "e30", "signatures": []}),
}


@pytest.mark.parametrize("token", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_refused(token):
    with pytest.raises(ForgedError):
        check(token)


SIGNATURES = {
    "empty": b"",
    "zero": b"\0" * 64,
    "ones": b"\xff" * 64,
    "DER": KEY.sign(b"x", ec.ECDSA(ECAlgorithm.SHA256())),
    "short": es256()(b"x")[:63],
    "long": es256()(b"x") + b"\0",
    "of something else": es256()(b"x"),
}


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_a_malformed_signature_is_refused(signature):
    with pytest.raises(ForgedError):
        check(forge(sign=lambda _: signature))


ODD_VALUES = [None, True, 0, -1, 1.5, 10**30, "", "\0", "\ud800", "é", [], [[]], {}, {"a": {}}]
ODD_VALUES += ["ES256", KID, "A" * 500, float("inf"), float("nan")]
CHARACTERS = string.ascii_letters + string.digits + "-_.=+/ \0\n\xff\u0660\ud800"


def _mutated_text(dice: random.Random) -> str:
    text = forge()
    for _ in range(dice.randint(1, 4)):
        at, to = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
        text = dice.choice(
            (
                text[:at] + dice.choice(CHARACTERS) + text[at + 1 :],
                text[:at] + dice.choice(CHARACTERS) + text[at:],
                text[:at] + text[to:],
                text[:at] + text[at:to] * 2 + text[to:],
                ".".join(dice.sample(text.split("."), text.count(".") + 1)),
            )
        )
    return text


def _mutated_meaning(dice: random.Random) -> str:
    """A valid signature over claims that Plaid would not make."""
    parts = [header(), claims()]
    for _ in range(dice.randint(1, 3)):
        names = ["alg", "kid", "typ", "b64", "crit", "iat", "exp", "aud", "request_body_sha256"]
        dice.choice(parts)[dice.choice(names)] = dice.choice(ODD_VALUES)
    return forge(*parts)


@pytest.mark.parametrize("mutated", [_mutated_text, _mutated_meaning])
def test_any_malformed_token_raises_forged_error(mutated):
    dice = random.Random(4)
    for _ in range(1000):
        token = mutated(dice)
        for step in (lambda t: key_id(t, BODY, NOW), lambda t: check_signature(t, JWK)):
            with contextlib.suppress(ForgedError):
                step(token)


def test_no_change_of_a_signed_token_is_accepted():
    dice = random.Random(5)
    refused = 0
    for _ in range(1000):
        token = _mutated_text(dice)
        try:
            check(token)
        except ForgedError:
            refused += 1
            continue
        # Base64 leaves some bits unused, so the signed bytes are the same.
        made = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert made == claims()
    assert refused > 800
