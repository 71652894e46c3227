"""Sends Plaid's webhooks at a steady rate, whether or not the earlier ones are answered.

One thread with plain sockets: it uses little of the processor that it shares with the app.
"""

import asyncio
import hashlib
import json
import sqlite3
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import jwt

from plaidapp.bank.webhook_signatures import fingerprint

PATH = "/webhooks/plaid"


class Delivery(NamedTuple):
    fingerprint: str
    request: bytes


class Signer:
    """Signs as the sandbox does whose state is in this file."""

    def __init__(self, state: Path) -> None:
        with closing(sqlite3.connect(state)) as stored:
            self._kid, self._pem = stored.execute("SELECT kid, pem FROM signing_key").fetchone()

    def delivery(self, url: str, plaid_item_id: str) -> Delivery:
        """Return SYNC_UPDATES_AVAILABLE of an Item as a request. Signed now: it ages in 5 min."""
        event = {
            "webhook_type": "TRANSACTIONS",
            "webhook_code": "SYNC_UPDATES_AVAILABLE",
            "item_id": plaid_item_id,
            "initial_update_complete": True,
            "historical_update_complete": True,
            "environment": "sandbox",
        }
        body = json.dumps(event, indent=2).encode()
        claims = {"iat": int(time.time()), "request_body_sha256": hashlib.sha256(body).hexdigest()}
        token = jwt.encode(claims, self._pem, algorithm="ES256", headers={"kid": self._kid})
        lines = (
            f"POST {PATH} HTTP/1.1",
            f"Host: {urlsplit(url).netloc}",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"Plaid-Verification: {token}",
            "",
            "",
        )
        return Delivery(fingerprint(token), "\r\n".join(lines).encode() + body)


class Result(NamedTuple):
    """`seconds` run from the moment at which the webhook was due to the whole answer."""

    status: int
    seconds: float


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Sender:
    """Keeps as many connections as it needs at once."""

    def __init__(self, url: str) -> None:
        address = urlsplit(url)
        self._address = address.hostname or "", address.port or 80
        self._idle: list[Wire] = []

    async def send_all(self, deliveries: Iterable[Delivery], rate: float) -> list[Result]:
        """Send `rate` a second."""
        begun = time.perf_counter()
        tasks = []
        for number, each in enumerate(deliveries):
            due = begun + number / rate
            await asyncio.sleep(due - time.perf_counter())
            tasks.append(asyncio.create_task(self.send(each, due)))
        return await asyncio.gather(*tasks)

    async def send(self, delivery: Delivery, due: float) -> Result:
        """Send once more over a new connection if the server closes an idle one meanwhile."""
        if self._idle:
            try:
                return await self._send(delivery, due, self._idle.pop())
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
        return await self._send(delivery, due, await asyncio.open_connection(*self._address))

    async def _send(self, delivery: Delivery, due: float, wire: Wire) -> Result:
        reader, writer = wire
        writer.write(delivery.request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        await reader.readexactly(length)
        if b"connection: close" in head.lower():
            writer.close()
        else:
            self._idle.append(wire)
        return Result(int(head.split(b" ", 2)[1]), time.perf_counter() - due)
