"""What the receiver counts, for Prometheus."""

from __future__ import annotations

from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from receiver.budget import Budget

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The receiver's counters, in a registry of their own."""

    def __init__(self, budget: Budget) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.received = Counter("pipeline_lines_received", "Lines of uploads that Kafka has.", registry=registry)
        self.accepted = Counter("pipeline_lines_accepted", "Valid lines of uploads that Kafka has.", registry=registry)
        self.rejected = Counter("pipeline_lines_rejected", "Lines that break the grammar.", registry=registry)
        uploads = Counter("pipeline_uploads", "Uploads, by the answer's status.", ["status"], registry=registry)
        requests = Histogram(
            "http_server_request_duration_seconds",
            "From a request's headers to its answer.",
            ["http_route", "http_response_status_code"],
            registry=registry,
            buckets=_SECONDS,
        )
        in_hand = Gauge("receiver_bytes_in_hand", "Bytes of uploads that are not answered yet.", registry=registry)
        in_hand.set_function(lambda: budget.held)
        # `labels()` costs more than the counting.
        self._uploads = cache(lambda status: uploads.labels(str(status)))
        self._requests = cache(lambda status: requests.labels("/upload", str(status)))

    def answered(self, status: int, seconds: float) -> None:
        """Counts one upload and how long its answer took."""
        self._uploads(status).inc()
        self._requests(status).observe(seconds)

    def kept(self, accepted: int, rejected: int) -> None:
        """Counts the lines of an upload that Kafka has."""
        self.received.inc(accepted + rejected)
        self.accepted.inc(accepted)
        self.rejected.inc(rejected)
