"""Hand a mail to the mail server of MAIL_URL, or print it to the terminal."""

import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

from plaidapp import policy

PORTS = {"smtp": 587, "smtps": 465}
"""Where servers take mails from programs: RFC 8314."""


class RefusedError(Exception):
    """The server will never take this mail, such as for an address that does not exist."""


class NotNowError(Exception):
    """The server does not take this mail now. `stops` if it would take no other either."""

    def __init__(self, problem: str, *, stops: bool) -> None:
        super().__init__(problem)
        self.stops = stops


def deliver(mail_url: str, message: EmailMessage) -> None:
    """Send a mail. Raises RefusedError, NotNowError. Their texts hold no address and no password.

    The whole takes policy.MAIL_DEADLINE at most.
    """
    url = urlsplit(mail_url)
    if url.scheme == "terminal":
        _print(message)
        return
    try:
        with _connection(url, policy.MAIL_DEADLINE) as server:
            _prepare(server, url.username, url.password, url.hostname or "")
            _hand_over(server, message)
    except (smtplib.SMTPException, OSError) as error:  # an error of TLS is an OSError
        raise NotNowError(_described(error), stops=True) from None


def try_out(mail_url: str, timeout: float) -> None:
    """Log in to the mail server and send nothing. Raises NotNowError. `timeout` is in seconds."""
    url = urlsplit(mail_url)
    try:
        with _connection(url, timeout) as server:
            _prepare(server, url.username, url.password, url.hostname or "")
    except (smtplib.SMTPException, OSError) as error:
        raise NotNowError(_described(error), stops=True) from None


def _print(message: EmailMessage) -> None:
    """Print a mail with its links, each on a line of its own."""
    head = f"To: {message['To']}\nSubject: {message['Subject']}"
    print(f"--- a mail ---\n{head}\n\n{message.get_content()}--- its end ---", flush=True)


@contextmanager
def _connection(url: SplitResult, timeout: float) -> Iterator[smtplib.SMTP]:
    host, port = url.hostname or "", url.port or PORTS[url.scheme]
    server: smtplib.SMTP = (
        smtplib.SMTP_SSL(timeout=timeout, context=_context(host))
        if url.scheme == "smtps"
        else smtplib.SMTP(timeout=timeout)
    )
    # The name to expect in the certificate. smtplib sets it only if its constructor connects.
    server._host = host  # type: ignore[attr-defined]
    # A server that answers a byte at a time would never reach a time-out.
    watch = threading.Timer(timeout, _cut, [server])
    watch.daemon = True
    watch.start()
    try:
        code, answer = server.connect(host, port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, answer)
        yield server
        with suppress(smtplib.SMTPException, OSError):  # the mail is on its way
            server.quit()
    finally:
        watch.cancel()
        server.close()


def _cut(server: smtplib.SMTP) -> None:
    with suppress(OSError, AttributeError):
        server.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]


def _prepare(server: smtplib.SMTP, user: str | None, password: str | None, host: str) -> None:
    """Encrypt the connection if the server can, and log in. A password needs encryption."""
    server.ehlo()
    encrypted = isinstance(server, smtplib.SMTP_SSL)
    if not encrypted and server.has_extn("starttls"):
        server.starttls(context=_context(host))
        server.ehlo()
        encrypted = True
    if user and password:
        if not encrypted and not _is_loopback(host):
            raise NotNowError("it offers no encryption for the password", stops=True)
        try:
            server.login(unquote(user), unquote(password))
        except smtplib.SMTPException as error:
            problem = f"it does not accept the name and password in MAIL_URL ({_described(error)})"
            raise NotNowError(problem, stops=True) from None


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        ((code, _),) = error.recipients.values()
        _raise(code, "recipient", stops=False)
    except smtplib.SMTPDataError as error:
        _raise(error.smtp_code, "content", stops=False)
    except smtplib.SMTPNotSupportedError:
        raise RefusedError("it does not take addresses beyond ASCII") from None


def _raise(code: int, part: str, *, stops: bool) -> None:
    """RFC 5321, section 4.2.1: a code from 500 on is final, one from 400 on is not.

    421 says that the server is closing.
    """
    problem = f"it answered {code} to the {part}"
    if code >= 500:
        raise RefusedError(problem)
    raise NotNowError(problem, stops=stops or code == 421)


def _described(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__


def _context(host: str) -> ssl.SSLContext:
    """Nobody is on the way to a server on this machine, whose certificate is often self-signed."""
    context = ssl.create_default_context()
    if _is_loopback(host):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
