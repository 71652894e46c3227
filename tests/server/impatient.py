"""The same app on a server with low limits, so that a test reaches them soon."""

from plaidapp import policy
from tests.server.app import app

policy.HEADER_TIME = 1.0
policy.BODY_TIME = 1.0
policy.SEND_TIME = 1.0
policy.LINGER = 0.5
policy.MAX_CONNECTIONS = 30
policy.HELD_LIMIT = 1024 * 1024
policy.LONG_ANSWERS = 3

__all__ = ["app"]
