"""What the consumer counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector


class Metrics:
    """The consumer's counters, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.lines = Counter("pipeline_lines_planned", "Lines that became part of a batch.", registry=registry)
        self.batches = Counter("pipeline_batches_planned", "Batches that were planned.", registry=registry)
        self.resent = Counter("pipeline_batches_sent_again", "Messages that repair sent again.", registry=registry)
        self.lost = Counter("pipeline_lines_lost", "Lines of batches that were written off.", registry=registry)
        self.uncounted = Counter(
            "pipeline_offsets_lost",
            "Offsets that were written off before anybody had counted their lines.",
            registry=registry,
        )
        self.cuts = Counter(
            "pipeline_logs_cut", "Times that a partition's log was cut and begun again.", registry=registry
        )
        self.pending = Gauge(
            "pipeline_batches_pending", "Batches planned and not done.", ["partition"], registry=registry
        )
        self.lag = Gauge(
            "kafka_consumergroup_lag",
            "Records behind the log's end, by the low watermark.",
            ["group", "topic", "partition"],
            registry=registry,
        )
        self.waiting = Gauge(
            "dramatiq_messages_waiting", "Messages that no worker has fetched; NaN without Redis.", registry=registry
        )
