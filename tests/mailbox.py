"""A real mail server for the tests, aiosmtpd, which keeps what it takes and can misbehave."""

import logging
import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from ssl import PROTOCOL_TLS_SERVER, SSLContext
from tempfile import NamedTemporaryFile
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

logging.getLogger("mail").setLevel(logging.WARNING)  # it would log the addresses of people
LINK = re.compile(r"^https?://\S+(?=\r?$)", re.MULTILINE)
USER, PASSWORD = "mailer@example.com", "a p@ss/word"


class Mailbox(Controller):
    """Listens on a free port of loopback from `start` to `stop`.

    `answers` are what it answers to the next recipients instead of taking their mails.
    """

    def __init__(self, **options: Any) -> None:
        self.mails: list[EmailMessage] = []
        self.envelopes: list[tuple[str, list[str]]] = []
        self.logged_in: list[bool] = []
        self.answers: list[str] = []
        super().__init__(self, hostname="127.0.0.1", port=0, **options)

    def _trigger_server(self) -> None:
        """aiosmtpd connects to itself; it does not know yet which port was free."""
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        self.logged_in.append(session.authenticated is True)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        return "250 OK"

    def take(self) -> EmailMessage:
        """Return the only mail that has come, and forget it."""
        assert len(self.mails) == 1, [(mail["To"], mail["Subject"]) for mail in self.mails]
        return self.mails.pop()

    def take_all(self) -> list[EmailMessage]:
        taken, self.mails = self.mails, []
        return taken


@cache
def certificate() -> SSLContext:
    """What a server on this machine has: a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    moment = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(moment - timedelta(days=1))
        .not_valid_after(moment + timedelta(days=1))
        .sign(key, SHA256())
    )
    context = SSLContext(PROTOCOL_TLS_SERVER)
    with NamedTemporaryFile() as file:
        plain = Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        file.write(key.private_bytes(*plain) + made.public_bytes(Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def link_in(mail: EmailMessage) -> str:
    """Return the path of the link in a mail. It is the only one, on a line of its own."""
    (link,) = LINK.findall(mail.get_content())
    return re.sub(r"^https?://[^/]+", "", link)


def check_password(_server, _session, _envelope, _mechanism, given) -> AuthResult:
    good = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
    return AuthResult(success=good, handled=False)
