"""The scale of a chart: no base other than zero, and the names of values and days."""

import pytest

DRAW = """([kind, dates, values]) => {
    const chart = document.createElement("ledger-chart");
    chart.innerHTML = `<div class="plot ${kind}"></div><output></output>`;
    chart.dataset.chart = kind;
    const series = kind === "bars" ? [{values}, {values}] : [{values}];
    chart.dataset.points = JSON.stringify({currency: "USD", dates, series});
    document.querySelector("#net-worth .split > div").prepend(chart);
    const [bottom, top] = chart.range();
    const fill = kind === "line" && chart.lineSeries("red", 12).fill;
    const names = chart.namesOf(kind === "bars" ? chart.dates : chart.splits());
    const scale = chart.scale().map(([, label]) => label);
    const drawn = {bottom, top, filled: Boolean(fill), scale, names};
    chart.remove();
    return drawn;
}"""
NOVEMBER = [f"2026-11-{day:02}" for day in range(1, 31)]


@pytest.fixture
def draw(resident):
    page = resident(viewport={"width": 1280, "height": 860}).page
    page.goto("/finance/", wait_until="networkidle")

    def evaluate(dates, values, kind="line"):
        return page.evaluate(DRAW, [kind, dates, [str(value) for value in values]])

    return evaluate


def test_a_line_has_a_true_base_and_names_its_extremes(draw):
    small = draw(NOVEMBER[:2], [54_711.32, 54_720.9])
    assert small["top"] - small["bottom"] > 0.1 * 54_711, "a small movement looks small"
    assert not small["filled"]
    assert small["scale"] == ["$54,711", "$54,721"]
    debt = draw(NOVEMBER[:3], [-1000, -990, -995])
    assert not debt["filled"]
    assert debt["scale"] == ["−$1,000", "−$990"]
    from_zero = draw(NOVEMBER[:3], [10, 1000, 500])
    assert (from_zero["bottom"], from_zero["filled"]) == (0, True)
    across = draw(NOVEMBER[:3], [-500, 1000, 0])
    assert across["bottom"] < -500
    assert (across["filled"], across["scale"]) == (True, ["−$500", "$0", "$1,000"])
    cents = draw(NOVEMBER[:2], [12.31, 12.5])
    assert cents["scale"] == ["$12.31", "$12.50"]
    assert draw(NOVEMBER[:2], [7, 7])["scale"] == ["$7.00"]
    assert draw(NOVEMBER[:2], [0, 0])["top"] > 0


def test_the_days_of_a_scale_are_the_calendars_with_years(draw):
    mondays = draw(NOVEMBER, range(30))["names"]
    assert mondays == ["Nov 2, 2026", "Nov 9", "Nov 16", "Nov 23"], "November 30 has no room"
    half = draw(["2026-07-15", "2027-01-15"], [1, 2])["names"]
    assert half == ["Aug 2026", "Sep", "Oct", "Nov", "Dec", "Jan 2027"]
    weeks = draw(["2024-01-03", "2024-01-10", "2026-11-25"], [1, 2, 3])["names"]
    assert "Jan 2025" in weeks
    years = draw(["2001-03-01", "2026-11-25"], [1, 2])["names"]
    assert all(len(name) == 4 for name in years)
    months = [f"2026-{month:02}-01" for month in range(6, 12)]
    bars = draw(months, range(6), "bars")
    assert bars["names"] == ["Jun 2026", "Jul", "Aug", "Sep", "Oct", "Nov"]
    assert (bars["bottom"], bars["scale"]) == (0, ["$0.00", "$5.00"])
