"""The data of SVG paths. They are drawn in a box of WIDTH by HEIGHT that a page stretches."""

from collections.abc import Sequence

WIDTH, HEIGHT = 2000, 1000
"""Whole numbers of this size are exact to half a pixel, and shorter than decimals."""
Place = tuple[float, float]
"""Across and down, from 0 to 1."""


def steps(places: Sequence[Place]) -> str:
    """Return a line that stays as high as each place until the next one, as a balance does."""
    (x, y), *others = [_rounded(place) for place in places]
    parts = [f"M{x} {y}"]
    for to_x, to_y in others:
        if to_y != y:
            parts.append(f"h{to_x - x}v{to_y - y}")
            x, y = to_x, to_y
    end, _ = _rounded(places[-1])
    return "".join([*parts, f"H{end}"])


def straight(places: Sequence[Place]) -> str:
    """Return a line from place to place, for what is not known in between."""
    return "M" + "L".join(f"{x} {y}" for x, y in map(_rounded, places))


def area(line: str, base: float) -> str:
    """Return what lies between a line that begins at the left and a level one at `base`."""
    return f"{line}V{round(base * HEIGHT)}H0z"


def band(top: float, end_top: float, end_bottom: float, bottom: float) -> str:
    """Return a band across the whole box, from its left to its right side."""
    left, right_top, right_bottom, left_bottom = (
        round(place * HEIGHT, 1) for place in (top, end_top, end_bottom, bottom)
    )
    half = WIDTH // 2
    there = f"M0 {left:g}C{half} {left:g} {half} {right_top:g} {WIDTH} {right_top:g}"
    back = f"V{right_bottom:g}C{half} {right_bottom:g} {half} {left_bottom:g} 0 {left_bottom:g}z"
    return there + back


def _rounded(place: Place) -> tuple[int, int]:
    return round(place[0] * WIDTH), round(place[1] * HEIGHT)
