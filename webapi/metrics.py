"""What the web API counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The web API's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter("webapi_requests", "Requests, by the answer's status.", ["status"], registry=registry)
        self._statistics = Counter(
            "webapi_statistics", "Statistics answered, by whether the cache had them.", ["cache"], registry=registry
        )
        self._seconds = Histogram(
            "http_server_request_duration_seconds",
            "From a request's headers to its answer.",
            ["http_route", "http_response_status_code"],
            registry=registry,
            buckets=_SECONDS,
        )

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Counts one request; `route` is the rule that it matched, never its path."""
        self._requests.labels(str(status)).inc()
        self._seconds.labels(route, str(status)).observe(seconds)

    def looked_up(self, cache: str) -> None:
        """Counts a statistic; `cache` is hit or miss."""
        self._statistics.labels(cache).inc()
