"""The same app on a server with little patience, so that a test reaches them soon."""

from server import limits
from tests.server.app import app

limits.HEADER_TIME = 1.0
limits.BODY_TIME = 1.0
limits.SEND_TIME = 1.0
limits.SLOWEST = 512 * 1024
limits.LINGER = 0.5
limits.RETIREMENT = 1.0
limits.MAX_WAITING = 5

__all__ = ["app"]
