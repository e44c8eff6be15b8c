"""Keeps children alive: starts them, shows what they say, restarts one that dies, stops all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from cli.child import Child
from pipeline.errors import ConfigurationError

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 15.0
STEADY_SECONDS = 30.0

Say = Callable[[str, str], None]


@dataclass(eq=False)
class Service:
    """A child that is to run for good, or with `once` until it has succeeded.

    `afterwards` is a service that is started whenever this one was started again.
    """

    child: Child
    once: bool = False
    afterwards: Service | None = None
    failures: int = field(default=0, init=False)
    was_restarted: bool = field(default=False, init=False)
    started_at: float = field(default=0.0, init=False)
    due_at: float | None = field(default=None, init=False)
    relay: threading.Thread | None = field(default=None, init=False)
    last_said: str = field(default="", init=False)


@dataclass
class Layer:
    """Services that are started, and stopped, together."""

    stop_seconds: float
    services: list[Service] = field(default_factory=list)


class Supervisor:
    """Children in layers: what is started first is stopped last."""

    def __init__(self, say: Say, clock: Callable[[], float] = time.monotonic) -> None:
        """`say(name, line)` is called for each line of a child's output, from a thread a child."""
        self._say = say
        self._clock = clock
        self._layers: list[Layer] = []

    def start(self, *services: Service, stop_seconds: float) -> None:
        """Starts one more layer; when it is to stop, it has `stop_seconds` for it."""
        layer = Layer(stop_seconds)
        self._layers.append(layer)
        for service in services:
            self._start(service, layer)

    def tend(self) -> None:
        """One look at every child: who has died is started again after a pause that grows from failure to failure.

        Raises ConfigurationError, with the child's last line, where the first start of one ended with that error's
        code: the next would end so, too. Later it may be a port that is not free yet.
        """
        for layer in self._layers:
            for service in list(layer.services):
                if service.due_at is not None:
                    if self._clock() >= service.due_at:
                        self._restart(service, layer)
                elif not service.child.alive():
                    self._mourn(service, layer)

    def stop(self) -> None:
        """Asks the last layer to stop, then the one before; who takes longer than the layer may is killed."""
        while self._layers:
            layer = self._layers.pop()
            for service in layer.services:
                service.child.terminate()
            deadline = self._clock() + layer.stop_seconds
            for service in layer.services:
                service.child.end(max(0.0, deadline - self._clock()))
                if service.relay:
                    service.relay.join(timeout=1)

    def _start(self, service: Service, layer: Layer) -> None:
        service.started_at = self._clock()
        service.due_at = None
        service.child.start()
        if service not in layer.services:
            layer.services.append(service)
        output = service.child.output
        service.relay = threading.Thread(
            target=self._relay, args=(service, output), name=f"log-{service.child.name}", daemon=True
        )
        service.relay.start()

    def _restart(self, service: Service, layer: Layer) -> None:
        service.was_restarted = True
        self._start(service, layer)
        if service.afterwards and service.afterwards not in layer.services:
            self._start(service.afterwards, layer)

    def _mourn(self, service: Service, layer: Layer) -> None:
        code = service.child.poll()
        if service.once and code == 0:
            layer.services.remove(service)
            service.failures = 0
            return
        if code == ConfigurationError.exit_code and not service.was_restarted:
            if service.relay:
                service.relay.join(timeout=1)
            raise ConfigurationError(service.last_said.removeprefix("tally "))
        if self._clock() - service.started_at > STEADY_SECONDS:
            service.failures = 0
        pause = min(FIRST_PAUSE * 2**service.failures, LONGEST_PAUSE)
        service.failures += 1
        service.due_at = self._clock() + pause
        self._say(service.child.name, f"ended with {code}; starts again in {pause:g} s")

    def _relay(self, service: Service, output: IO[bytes]) -> None:
        with output:
            for line in output:
                service.last_said = line.decode(errors="replace").rstrip()
                self._say(service.child.name, service.last_said)
