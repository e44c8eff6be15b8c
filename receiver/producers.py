"""The producer in use, and its replacement in the background when it can no longer be trusted."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

import structlog
from kafka import KafkaProducer

from pipeline.errors import Unavailable

log = structlog.get_logger(__name__)

PAUSES = (0.2, 0.4, 0.8, 1.6, 2.0)
# Seconds between looks at the producer in use. A partition may be without a leader for a moment.
LOOK_SECONDS, LOOKS = 2.0, 3


class Producers:
    """One producer at a time, or none while it is being built."""

    def __init__(
        self,
        build: Callable[[], KafkaProducer],
        abandon: Callable[[KafkaProducer], None],
        is_astray: Callable[[KafkaProducer], bool],
        pauses: tuple[float, ...] = PAUSES,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`build` makes a producer or raises, and is then called again, for as long as it takes.

        One that `is_astray` at several looks is abandoned.
        """
        self._current: KafkaProducer | None = None
        self._why = "the connection is being made"
        self.first = threading.Event()
        self._build = build
        self._abandon = abandon
        self._is_astray = is_astray
        self._pauses = pauses
        self._look_seconds = look_seconds
        self._stopping = threading.Event()
        self._abandoned: SimpleQueue[KafkaProducer | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._keep, name="producers", daemon=True)

    def start(self) -> None:
        """Begins to build the first producer, in the background."""
        self._thread.start()

    def current(self) -> KafkaProducer:
        """The producer in use. Raises Unavailable, at once, while there is none."""
        if (producer := self._current) is None:
            raise Unavailable("kafka", self._why)
        return producer

    def abandon(self, producer: KafkaProducer, why: str) -> None:
        """Takes `producer` out of use, if it still is in use, and has another one built; does not wait."""
        if self._current is producer:
            self._why = why
            self._current = None
            self._abandoned.put(producer)
            log.warning("producer abandoned", why=why)

    def close(self) -> None:
        """Ends the background's work and closes the producer, of which nothing is awaited any more."""
        self._stopping.set()
        self._abandoned.put(None)
        self._thread.join(1)
        producer, self._current = self._current, None
        if producer is not None:
            self._abandon(producer)

    def _keep(self) -> None:
        while (producer := self._built()) is not None:
            self._current = producer
            self.first.set()
            doomed = self._doomed(producer)
            if doomed is None:
                return
            try:
                self._abandon(doomed)
            except Exception:
                log.exception("an abandoned producer was not closed")

    def _doomed(self, producer: KafkaProducer) -> KafkaProducer | None:
        """Waits until the producer in use is abandoned, and sees to it where nobody else can; None at the end."""
        looks = 0
        while True:
            try:
                doomed = self._abandoned.get(timeout=self._look_seconds)
            except Empty:
                looks = looks + 1 if self._strays(producer) else 0
                if looks == LOOKS:
                    self.abandon(producer, "a partition that it wrote to is gone, or has no leader")
            else:
                # Whoever uploads may have abandoned the one before at the same moment.
                if doomed is None or doomed is producer:
                    return doomed

    def _strays(self, producer: KafkaProducer) -> bool:
        try:
            return self._is_astray(producer)
        except Exception:
            # It looks into the client, while that learns something else.
            log.exception("the producer was not looked at")
            return False

    def _built(self) -> KafkaProducer | None:
        """The next producer; None where there is to be none."""
        failures = 0
        while not self._stopping.is_set():
            try:
                return self._build()
            except Exception as error:
                failures += 1
                self._why = error.detail if isinstance(error, Unavailable) else str(error) or repr(error)
                log.warning("no producer", why=self._why, failures=failures)
            self._stopping.wait(self._pauses[min(failures, len(self._pauses)) - 1])
        return None
