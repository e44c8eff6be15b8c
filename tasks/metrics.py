"""What the workers count, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """A worker's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.lines = {
            outcome: Counter(f"pipeline_lines_{outcome}", f"Lines that were {outcome}.", registry=registry)
            for outcome in ("stored", "discarded", "rejected", "duplicate")
        }
        self.seconds = Histogram(
            "pipeline_batch_duration_seconds", "Executing one batch.", registry=registry, buckets=_SECONDS
        )
        self.delay = Gauge(
            "pipeline_ingest_delay_seconds", "From Kafka's time to the commit, of the last batch.", registry=registry
        )
