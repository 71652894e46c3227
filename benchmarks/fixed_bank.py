"""A bank that sends the same response to every call: python -m benchmarks.fixed_bank PORT SECONDS.

It responds after SECONDS and uses almost no processor time, so it does not distort a measurement.
With a third argument, its Items have so many accounts: a0, a1 and so on. GET /calls answers how
many calls there were.
"""

import asyncio
import json
import sys
from typing import cast


def answer(accounts: int) -> bytes:
    """Return the whole response to every call."""
    content = {
        "accounts": [_account(number) for number in range(accounts)],
        "item": {"institution_id": "ins_1", "institution_name": "Bank of Loopback"},
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


class Bank(asyncio.Protocol):
    seconds = 0.0
    response = b""
    calls = 0

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
                self.transport.write(_response(b"%d" % Bank.calls))
                return
            Bank.calls += 1
            write = self.transport.write
            asyncio.get_running_loop().call_later(self.seconds, write, Bank.response)


async def main(port: int, seconds: float, accounts: int) -> None:
    Bank.seconds, Bank.response = seconds, answer(accounts)
    server = await asyncio.get_running_loop().create_server(Bank, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    accounts = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2]), accounts))
