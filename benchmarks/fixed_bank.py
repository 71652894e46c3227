"""A bank that sends the same response to every call: python -m benchmarks.fixed_bank PORT SECONDS.

It responds after SECONDS and uses almost no processor time, so it does not distort a measurement.
"""

import asyncio
import json
import sys
from typing import cast

ACCOUNT = {
    "account_id": "a",
    "name": "Checking",
    "type": "depository",
    "balances": {"available": 100.0, "current": 110.25, "iso_currency_code": "USD"},
}
ANSWER = {
    "accounts": [],
    "item": {"institution_id": "ins_1", "institution_name": "Bank of Loopback"},
    "added": [],
    "modified": [],
    "removed": [],
    "next_cursor": "unchanged",
    "has_more": False,
    "transactions_update_status": "HISTORICAL_UPDATE_COMPLETE",
    "request_id": "r",
}
BODY = json.dumps(ANSWER).encode()
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)


class Bank(asyncio.Protocol):
    seconds = 0.0

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
            asyncio.get_running_loop().call_later(self.seconds, self.transport.write, RESPONSE)


async def main(port: int, seconds: float) -> None:
    Bank.seconds = seconds
    server = await asyncio.get_running_loop().create_server(Bank, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
