"""Flows are drawn in proportion, and none of their texts covers another."""

import math
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plaidapp.finance.charts.apart import apart
from plaidapp.finance.charts.sankey import BANDS, GAP, LINE, THIN, TWO_LINES, Flow, Sankey

amounts = st.decimals("0.00000001", "99999999999999", places=8)
names = st.text(min_size=1, max_size=60)


@st.composite
def sankeys(draw):
    """Sources and targets that add up to the same, and targets with parts."""
    targets = []
    for name, parts in draw(
        st.lists(st.tuples(names, st.lists(amounts, max_size=5)), min_size=1, max_size=9)
    ):
        own = [Flow(name, part, "/") for part in parts]
        total = sum(parts, Decimal(0)) if parts else draw(amounts)
        targets.append(Flow(name, total, "/", own))
    total = sum((each.amount for each in targets), Decimal(0))
    shares = draw(st.lists(st.integers(1, 1000), min_size=1, max_size=6))
    sources = [Flow("source", total * share / sum(shares), "/") for share in shares]
    return Sankey("Flows", "USD", sources, targets)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(sankeys())
def test_nodes_and_texts_stand_apart_within_the_drawing(chart):
    for nodes, line in (
        (chart.source_nodes, TWO_LINES if chart.has_pile else 0),
        (chart.target_nodes, LINE),
        (chart.part_nodes, LINE),
    ):
        for node in nodes:
            assert math.isfinite(node.top)
            assert math.isfinite(node.height)
            assert node.height >= THIN
            assert -1e-6 <= node.top <= node.bottom <= chart.height + 1e-6
        for upper, lower in pairwise(nodes):
            assert lower.top >= upper.bottom - 1e-6
            assert lower.middle - upper.middle >= line - 1e-6
    assert len(chart.bands_in) == (len(chart.sources) if chart.has_pile else 0)
    assert len(chart.bands_out) == len(chart.targets)
    assert len(chart.bands_to_parts) == sum(len(each.parts) for each in chart.targets)
    for band in (*chart.bands_in, *chart.bands_out, *chart.bands_to_parts):
        assert "nan" not in band.path
        assert "inf" not in band.path


def flows(*given_amounts):
    return [Flow(f"flow {number}", Decimal(each), "/") for number, each in enumerate(given_amounts)]


def test_bands_are_as_thick_as_their_amounts():
    chart = Sankey(
        "Flows", "USD", flows(300), [Flow("A", Decimal(225), "/", flows(150, 75)), *flows(75)]
    )
    assert [node.height for node in chart.target_nodes] == [BANDS * 3 / 4, BANDS / 4]
    assert [node.height for node in chart.part_nodes] == [BANDS / 2, BANDS / 4]
    assert chart.height == BANDS + GAP
    assert [node.height for node in chart.source_nodes] == [BANDS], "a lone source is the pile"
    assert (chart.has_pile, chart.bands_in) == (False, [])
    (band, last) = chart.bands_out
    assert band.path.startswith("M0 15.2C1000 15.2 1000 0 2000 0V727.3")
    assert last.path.startswith("M0 742.4C"), "both begin in one pile"


def test_several_sources_flow_together_first():
    chart = Sankey("Flows", "USD", flows(100, 50, 1), flows(151))
    assert [node.flow.amount for node in chart.source_nodes] == [100, 50, 1]
    assert len(chart.bands_in) == 3
    assert chart.source_nodes[2].height == BANDS / 151


def test_a_long_name_is_cut_and_a_short_one_is_whole():
    named = [Flow(name, Decimal(1), "/") for name in ("Rent and utilities", "W" * 40)]
    short, long = Sankey("Flows", "USD", flows(2), named).target_nodes
    assert short.name == "Rent and utilities"
    assert long.name == "W" * 22 + "…"


def test_texts_move_apart_as_little_as_they_can():
    assert apart([0.1, 0.5], 0.2) == [0.1, 0.5]
    assert apart([0.5, 0.5], 0.2) == pytest.approx([0.5, 0.7])
    assert apart([0.9, 0.95], 0.2) == pytest.approx([0.8, 1.0])
    assert apart([0.5] * 9, 0.2)[0] == 0, "there is no room for so many"
    assert apart([], 0.2) == []
