"""A bank that sends the same response to every call: python -m benchmarks.fixed_bank PORT SECONDS.

It responds after SECONDS and uses almost no processor time, so it does not distort a measurement.
With a third argument, its Items have so many accounts: a0, a1 and so on. GET /calls answers with
the `Record` of each path.
"""

import asyncio
import json
import re
import sys
import time
from collections import defaultdict, deque
from typing import ClassVar, cast

TOKEN = re.compile(rb'"access_token": *"([^"]*)"')
MINUTE = 60.0


def answer(accounts: int) -> bytes:
    """Return the whole response to every call."""
    content = {
        "accounts": [_account(number) for number in range(accounts)],
        "item": {
            "item_id": "i",
            "institution_id": "ins_1",
            "institution_name": "Bank of Loopback",
        },
        "added": [],
        "modified": [],
        "removed": [],
        "next_cursor": "unchanged",
        "has_more": False,
        "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
        "request_id": "r",
    }
    return _response(json.dumps(content).encode())


def _account(number: int) -> dict[str, object]:
    balances = {"available": 100.0, "current": 110.25, "iso_currency_code": "USD"}
    return {
        "account_id": f"a{number}",
        "name": "Checking",
        "type": "depository",
        "balances": balances,
    }


def _response(body: bytes) -> bytes:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


class Calls:
    """How many calls there were, and the most in any minute, wherever it begins."""

    def __init__(self) -> None:
        self.count = self.most = 0
        self._last_minute: deque[float] = deque()

    def add(self, moment: float) -> None:
        self._last_minute.append(moment)
        while self._last_minute[0] <= moment - MINUTE:
            self._last_minute.popleft()
        self.count += 1
        self.most = max(self.most, len(self._last_minute))


class Record:
    """The calls of a path."""

    def __init__(self) -> None:
        self._all = Calls()
        self._of_items: defaultdict[bytes, Calls] = defaultdict(Calls)

    def add(self, request: bytes) -> None:
        moment = time.monotonic()
        self._all.add(moment)
        if token := TOKEN.search(request):
            self._of_items[token[1]].add(moment)

    def content(self) -> dict[str, int]:
        of_one = max((calls.most for calls in self._of_items.values()), default=0)
        return {"calls": self._all.count, "minute": self._all.most, "minute_of_item": of_one}


class Bank(asyncio.Protocol):
    seconds = 0.0
    response = b""
    records: ClassVar[defaultdict[str, Record]] = defaultdict(Record)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.unread = b""

    def data_received(self, data: bytes) -> None:
        """Respond to one request at a time. urllib3 sends no second one before the response."""
        self.unread += data
        head, blank_line, body = self.unread.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]
        if blank_line and len(body) >= int(length or 0):
            self.unread = b""
            if head.startswith(b"GET /calls "):
                records = {path: record.content() for path, record in Bank.records.items()}
                self.transport.write(_response(json.dumps(records).encode()))
                return
            Bank.records[head.split(b" ", 2)[1].decode()].add(body)
            write = self.transport.write
            asyncio.get_running_loop().call_later(self.seconds, write, Bank.response)


async def main(port: int, seconds: float, accounts: int) -> None:
    Bank.seconds, Bank.response = seconds, answer(accounts)
    server = await asyncio.get_running_loop().create_server(Bank, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    accounts = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), accounts))
