"""The sums in Redis as Prometheus's types. Nothing in Redis is trusted: anything odd is skipped."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import redis
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from .counted import ALL, SUM, Counter, Histogram
from .pending import SEPARATOR
from .sending import SUMS

Labels = tuple[str, ...]
Family = CounterMetricFamily | HistogramMetricFamily


class Sums(Collector):
    """`zeros` has series of counters that are shown even if they are 0, by the counter's name.

    Otherwise Prometheus would not see the first time as an increase.
    """

    def __init__(self, connection: redis.Redis, zeros: Mapping[str, Iterable[Labels]]) -> None:
        """Read the sums. Raises redis.RedisError."""
        self._values = _by_metric(connection.hgetall(SUMS))
        self._zeros = zeros

    def collect(self) -> Iterator[Family]:
        for metric in ALL:
            values = self._values[metric.name]
            if isinstance(metric, Histogram):
                yield _histogram(metric, values)
            else:
                yield _counter(metric, values, self._zeros.get(metric.name, ()))


def _by_metric(stored: Mapping[Any, Any]) -> defaultdict[str, dict[Labels, float]]:
    values: defaultdict[str, dict[Labels, float]] = defaultdict(dict)
    for field, number in stored.items():
        name, *rest = field.decode(errors="replace").split(SEPARATOR)
        try:
            values[name][tuple(rest)] = float(number)
        except ValueError:
            continue
    return values


def _counter(
    metric: Counter, values: Mapping[Labels, float], zeros: Iterable[Labels]
) -> CounterMetricFamily:
    family = CounterMetricFamily(metric.name, metric.help, labels=metric.labels)
    for labels, value in sorted((dict.fromkeys(zeros, 0.0) | dict(values)).items()):
        if len(labels) == len(metric.labels):
            family.add_metric(labels, value)
    return family


def _histogram(metric: Histogram, values: Mapping[Labels, float]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
    series: defaultdict[Labels, dict[str, float]] = defaultdict(dict)
    for labels, value in values.items():
        if labels:
            series[labels[:-1]][labels[-1]] = value
    for key, fields in sorted(series.items()):
        if len(key) == len(metric.labels):
            family.add_metric(key, _buckets(metric.bounds, fields), fields.get(SUM, 0.0))
    return family


def _buckets(bounds: Sequence[float], fields: Mapping[str, float]) -> list[tuple[str, float]]:
    """Return the upper end of each bucket, and how many were at most that."""
    total, buckets = 0.0, []
    for number, bound in enumerate([*map(str, bounds), "+Inf"]):
        total += fields.get(str(number), 0.0)
        buckets.append((bound, total))
    return buckets
