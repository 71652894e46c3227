"""Time zones, and which day it is in one.

Zones have IANA's names, such as America/Los_Angeles: https://www.iana.org/time-zones
"""

from datetime import date
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from ..base.types import now

UTC = "UTC"
LONGEST_NAME = 64  # characters
_NOT_ZONES = {"Factory", "localtime"}
"""Names in the zone data of some machines that mean "not set" and "as this machine"."""


@cache
def names() -> tuple[str, ...]:
    """Return the names of all zones, sorted. The first call reads the zone data's folders."""
    return tuple(sorted(available_timezones() - _NOT_ZONES))


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of this name; UTC if the zone data no longer has it."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return ZoneInfo(UTC)


def today_in(zone: ZoneInfo) -> date:
    return now().astimezone(zone).date()
