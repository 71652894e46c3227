"""How long the server waits for clients, and how much it keeps for them.

docs/policy.md lists these numbers with those of plaidapp/policy.
"""

MAX_WAITING = 500
"""Requests of a process that wait for a thread: about a second of pages. Beyond that, 503."""
HEADER_TIME = 75.0
"""Seconds that a connection may take for a whole header, and so how long it may be idle. PaaS
routers keep their connections open for about a minute."""
BODY_TIME = 60.0
"""Seconds that a body may take. The largest form needs 17 KB a second, most need 1 KB."""
SEND_TIME = 60.0
"""Seconds that a client may take for PART bytes of an answer."""
SLOWEST = 16 * 1024
"""Bytes of an answer that a client has to take a second, on average. It may lag by SEND_TIME."""
LINGER = 2.0
"""Seconds that a client has to finish its request after it has been refused, and that a process
which stops waits for a request on an open connection."""
STALL = 5.0
"""Seconds that a client may take for PART bytes while the process stops. SLOWEST needs four."""
RETIREMENT = 600.0
"""Seconds that a process goes on after it has had its requests, because it is sending answers."""
PART = 64 * 1024
"""Bytes that are received or sent at once."""
MAX_HEADER = 32 * 1024
"""Bytes of a request's first line and header. Sites that share a host share their cookies."""
MAX_FIELDS = 100
"""Fields of a header. Browsers send about twenty, and proxies add some."""
SHORT_ANSWER = 256 * 1024
"""Bytes of an answer that is collected in memory. The longest pages have about 100 KB."""
LONG_ANSWERS = 16
"""Longer ones, such as exports, that a process sends at a time. Each has a temporary file."""
LONG_ANSWERS_EACH = 3
"""Those of one address: an IPv4 address, or the 64 bits that a subscriber has with IPv6."""
HELD_LIMIT = 128 * 1024 * 1024
"""Bytes of requests and answers that slow clients may keep in the memory of a process. Beyond that,
the client that holds most is disconnected."""
MAX_CONNECTIONS = 4_000
"""Connections of a process. Beyond that, the one that has been waited for longest is closed."""
