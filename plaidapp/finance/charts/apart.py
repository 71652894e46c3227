"""Keeps texts apart that stand above one another."""

from collections.abc import Sequence


def apart(wanted: Sequence[float], gap: float, end: float = 1.0) -> list[float]:
    """Return places as near as possible to the wanted ones, which are in order.

    They are at least `gap` apart, and between 0 and `end` if there is room for all of them.
    """
    places: list[float] = []
    for place in wanted:
        places.append(max(place, places[-1] + gap) if places else max(place, 0.0))
    limit = end
    for index in reversed(range(len(places))):
        places[index] = min(places[index], limit)
        limit = places[index] - gap
    if places and places[0] < 0:
        places = [index * gap for index in range(len(places))]
    return places
