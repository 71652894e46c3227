"""The same app on a server with little patience, so that a test reaches them soon."""

from plaidapp import policy
from tests.server.app import app

policy.HEADER_TIME = 1.0
policy.BODY_TIME = 1.0
policy.SEND_TIME = 1.0
policy.LINGER = 0.5
policy.LONG_ANSWERS = 3
policy.MAX_WAITING = 5

__all__ = ["app"]
