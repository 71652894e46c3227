"""What came in and where it went, as bands: from sources through targets to the targets' parts.

Everything that came in is one pile first, so no band says which source paid for what. Each target
stands beside its parts, so no bands cross. All lengths are in rem, because texts stand beside the
nodes: a page with larger text has a larger drawing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from itertools import accumulate

from plaidapp.formats import money

from . import paths
from .text_width import shortened, width_of

BANDS = 20.0
"""The height of everything that came in."""
THIN = 0.125
"""No band is thinner."""
LINE = 1.375
"""The height of a text of one line."""
TWO_LINES = 2.75
GAP = 0.625
"""The space between two targets."""
MOST_DIGITS = 22
"""The width of a name, in widths of a digit. A longer one is cut."""


@dataclass(frozen=True)
class Flow:
    """An amount above zero, what it is, and the address of what it is made of.

    `parts` add up to the amount. `is_own` is for what stays the person's own.
    """

    name: str
    amount: Decimal
    url: str
    parts: Sequence["Flow"] = ()
    is_own: bool = False


@dataclass(frozen=True)
class Node:
    """A flow and where it stands. Its text is in the middle of it."""

    flow: Flow
    top: float
    height: float

    @property
    def middle(self) -> float:
        return self.top + self.height / 2

    @property
    def bottom(self) -> float:
        return self.top + self.height

    @property
    def name(self) -> str:
        return shortened(self.flow.name, MOST_DIGITS)


@dataclass(frozen=True)
class Band:
    """From one node to another. `path` is drawn in a box as high as the whole drawing."""

    start: Flow
    end: Flow
    path: str


@dataclass(frozen=True)
class Sankey:
    """The amounts of the sources and those of the targets add up to the same, above zero."""

    label: str
    currency: str
    sources: Sequence[Flow]
    targets: Sequence[Flow]

    @cached_property
    def total(self) -> Decimal:
        return sum((each.amount for each in self.sources), Decimal(0))

    def _thickness(self, flow: Flow) -> float:
        own = max(float(flow.amount / self.total) * BANDS, THIN)
        return max(own, sum(map(self._thickness, flow.parts)))

    def _room(self, flow: Flow) -> float:
        """The height that a flow takes with its text, and with its parts."""
        return max(self._thickness(flow), LINE, sum(map(self._room, flow.parts)))

    def _source_room(self, flow: Flow) -> float:
        """The amount of a source is below its name."""
        return max(self._thickness(flow), TWO_LINES)

    @cached_property
    def height(self) -> float:
        sources = _column_height(map(self._source_room, self.sources))
        targets = _column_height(map(self._room, self.targets))
        return max(sources, targets, self._pile_height)

    def _column(self, flows: Sequence[Flow], rooms: Sequence[float]) -> list[Node]:
        return self._stack(flows, rooms, (self.height - _column_height(rooms)) / 2, GAP)

    def _stack(
        self, flows: Sequence[Flow], rooms: Sequence[float], top: float, gap: float
    ) -> list[Node]:
        """One below the other, each in the middle of its room."""
        nodes = []
        for flow, room in zip(flows, rooms, strict=True):
            height = self._thickness(flow)
            nodes.append(Node(flow, top + (room - height) / 2, height))
            top += room + gap
        return nodes

    @cached_property
    def source_nodes(self) -> list[Node]:
        """A lone source is the pile itself."""
        if not self.has_pile:
            return [self.pile]
        return self._column(self.sources, [*map(self._source_room, self.sources)])

    @cached_property
    def target_nodes(self) -> list[Node]:
        return self._column(self.targets, [*map(self._room, self.targets)])

    @cached_property
    def part_nodes(self) -> list[Node]:
        return [part for node in self.target_nodes for part in self._parts_of(node)]

    def _parts_of(self, node: Node) -> list[Node]:
        rooms = [self._room(part) for part in node.flow.parts]
        return self._stack(node.flow.parts, rooms, node.middle - sum(rooms) / 2, 0)

    @property
    def has_pile(self) -> bool:
        """Several sources flow together before they part."""
        return len(self.sources) > 1

    @cached_property
    def _pile_height(self) -> float:
        return max(sum(map(self._thickness, self.sources)), sum(map(self._thickness, self.targets)))

    @cached_property
    def pile(self) -> Node:
        """All that came in."""
        height = self._pile_height
        return Node(self.sources[0], (self.height - height) / 2, height)

    @cached_property
    def bands_in(self) -> list[Band]:
        """From the sources to the pile."""
        if not self.has_pile:
            return []
        tops = self._tops(self.pile.top, self.source_nodes)
        return [
            self._band(node.flow, node.flow, node.top, top, node.height)
            for node, top in zip(self.source_nodes, tops, strict=False)
        ]

    @cached_property
    def bands_out(self) -> list[Band]:
        """From the pile to the targets."""
        tops = self._tops(self.pile.top, self.target_nodes)
        return [
            self._band(node.flow, node.flow, top, node.top, node.height)
            for node, top in zip(self.target_nodes, tops, strict=False)
        ]

    @cached_property
    def bands_to_parts(self) -> list[Band]:
        """From the targets to their parts."""
        found = []
        for node in self.target_nodes:
            parts = self._parts_of(node)
            tops = self._tops(node.top, parts)
            for part, top in zip(parts, tops, strict=False):
                found.append(self._band(node.flow, part.flow, top, part.top, part.height))
        return found

    @staticmethod
    def _tops(top: float, nodes: Iterable[Node]) -> Iterable[float]:
        """Where the bands of these nodes begin that leave another one together."""
        return accumulate((node.height for node in nodes), initial=top)

    @property
    def sources_width(self) -> str:
        """The width of the sources' texts, as that of the others."""
        texts = [text for node in self.source_nodes for text in (node.name, self.amount(node))]
        return width_of(texts)

    @property
    def targets_width(self) -> str:
        return self._width_of_lines(self.target_nodes)

    @property
    def parts_width(self) -> str:
        return self._width_of_lines(self.part_nodes)

    def _width_of_lines(self, nodes: Iterable[Node]) -> str:
        return width_of(f"{node.name}xx{self.amount(node)}" for node in nodes)

    def amount(self, node: Node) -> str:
        return money(node.flow.amount, self.currency, symbol=False)

    def _band(self, start: Flow, end: Flow, top: float, end_top: float, height: float) -> Band:
        places = top, end_top, end_top + height, top + height
        return Band(start, end, paths.band(*(place / self.height for place in places)))


def _column_height(rooms: Iterable[float]) -> float:
    found = list(rooms)
    return sum(found) + GAP * (len(found) - 1)
