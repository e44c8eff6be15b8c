"""A worker that looks alive and does nothing, or that nobody looks after, is to end, and to be started again."""

from __future__ import annotations

import os
import signal
import threading

import structlog
from dramatiq import Broker, Middleware, Worker

log = structlog.get_logger(__name__)


class Watch(Middleware):
    """Ends the process when one of Dramatiq's consumer threads is dead (a frozen Redis did that), or its parent is.

    An orphan would keep its port, and whoever supervises the parent could not start it again.
    """

    def __init__(self) -> None:
        self._stopping = threading.Event()

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:  # noqa: ARG002 (Dramatiq's signature)
        threading.Thread(target=self._watch, args=(worker, os.getppid()), name="watch", daemon=True).start()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:  # noqa: ARG002 (Dramatiq's signature)
        self._stopping.set()

    def _watch(self, worker: Worker, parent: int) -> None:
        while not self._stopping.wait(1.0):
            if os.getppid() != parent:
                log.error("the parent is dead; ending the worker")
                os.kill(os.getpid(), signal.SIGTERM)
                return
            dead = [thread.queue_name for thread in worker.consumers.values() if not thread.is_alive()]
            if dead and not self._stopping.is_set():
                log.error("a consumer thread is dead; ending the worker", queues=dead)
                os._exit(1)
