"""Children that die, that will not stop, and that leave children of their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cli.child import Child, wait_until
from cli.supervisor import FIRST_PAUSE, LONGEST_PAUSE, STEADY_SECONDS, Service, Supervisor
from cli.tether import Tether
from pipeline.errors import ConfigurationError
from tests.servers import is_running

STUBBORN = (
    # It has a child of its own, and neither listens to SIGTERM.
    "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); pid = os.fork();"
    "pid and print(pid, flush=True); time.sleep(60)"
)


@dataclass
class Scene:
    """A supervisor under a clock that only the test moves."""

    tether: Tether
    now: float = 1000.0
    said: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(lambda name, line: self.said.append((name, line)), clock=lambda: self.now)

    def shell(self, name: str, script: str) -> Service:
        return Service(Child(self.tether, name, ["sh", "-c", script]))

    def python(self, name: str, script: str) -> Service:
        return Service(Child(self.tether, name, [sys.executable, "-c", script]))

    def tend_until_dead(self, service: Service) -> None:
        assert wait_until(lambda: not service.child.alive(), 5)
        self.supervisor.tend()

    def heard(self, name: str, line: str) -> bool:
        return wait_until(lambda: (name, line) in self.said, 5)


@pytest.fixture
def scene(tether: Tether) -> Iterator[Scene]:
    scene = Scene(tether)
    yield scene
    scene.supervisor.stop()


def test_a_child_that_dies_is_started_again_after_a_pause(scene: Scene) -> None:
    service = scene.shell("frail", "echo hello; exit 3")
    scene.supervisor.start(service, stop_seconds=1)
    scene.tend_until_dead(service)
    assert ("frail", f"ended with 3; starts again in {FIRST_PAUSE:g} s") in scene.said

    first = service.child.pid
    scene.now += FIRST_PAUSE * 0.9
    scene.supervisor.tend()
    assert service.child.pid == first

    scene.now += FIRST_PAUSE
    scene.supervisor.tend()
    assert service.child.pid != first
    assert wait_until(lambda: scene.said.count(("frail", "hello")) == 2, 5)


def test_a_setting_that_a_child_cannot_start_with_ends_it_for_good_in_the_childs_words(scene: Scene) -> None:
    service = scene.shell("misled", "echo hello; echo tally misled: PORT: no port; exit 78")
    scene.supervisor.start(service, stop_seconds=1)
    with pytest.raises(ConfigurationError, match=r"^misled: PORT: no port$"):
        scene.tend_until_dead(service)


def test_a_port_that_is_not_free_yet_after_a_restart_is_waited_for(scene: Scene, tmp_path: Path) -> None:
    crashed = tmp_path / "crashed"
    service = scene.shell("receiver", f"test -e {crashed} && exit 78; touch {crashed}; exit 1")
    scene.supervisor.start(service, stop_seconds=1)
    scene.tend_until_dead(service)
    scene.now += FIRST_PAUSE
    scene.supervisor.tend()
    scene.tend_until_dead(service)
    assert ("receiver", f"ended with 78; starts again in {2 * FIRST_PAUSE:g} s") in scene.said


def test_the_pause_grows_to_a_limit_and_is_forgotten_by_a_child_that_lived(scene: Scene) -> None:
    service = scene.shell("frail", "exit 1")
    scene.supervisor.start(service, stop_seconds=1)
    pauses = []
    for _ in range(7):
        scene.tend_until_dead(service)
        assert service.due_at is not None
        pauses.append(service.due_at - scene.now)
        scene.now = service.due_at
        scene.supervisor.tend()
    assert pauses == [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(7)]

    scene.now += STEADY_SECONDS + 1
    scene.tend_until_dead(service)
    assert service.due_at == scene.now + FIRST_PAUSE


def test_what_a_dead_child_leaves_behind_is_killed_before_it_starts_again(scene: Scene) -> None:
    service = scene.shell("parent", "sleep 60 & echo $!; exit 1")
    scene.supervisor.start(service, stop_seconds=1)
    assert wait_until(lambda: bool(scene.said), 5)
    orphan = int(scene.said[0][1])
    scene.tend_until_dead(service)
    assert wait_until(lambda: not is_running(orphan), 5)


def test_nothing_is_left_after_stop_not_even_what_ignores_it(scene: Scene) -> None:
    service = scene.python("stubborn", STUBBORN)
    scene.supervisor.start(service, stop_seconds=0.2)
    assert wait_until(lambda: bool(scene.said), 5)
    scene.supervisor.stop()
    assert service.child.poll() == -9
    assert wait_until(lambda: not is_running(int(scene.said[0][1])), 5)


def test_a_child_is_asked_to_stop_once_only(scene: Scene, tmp_path: Path) -> None:
    """Dramatiq takes a second SIGTERM as an order to drop what it holds."""
    asked = tmp_path / "asked"
    service = scene.shell(
        "slow", f"trap 'echo asked >> {asked}' TERM; echo up; while [ ! -e {asked} ]; do sleep 0.05; done; sleep 0.3"
    )
    scene.supervisor.start(service, stop_seconds=5)
    assert scene.heard("slow", "up")
    scene.supervisor.stop()
    assert service.child.poll() == 0
    assert asked.read_text() == "asked\n"


def test_what_started_first_is_stopped_last(scene: Scene, tmp_path: Path) -> None:
    order = tmp_path / "order"
    for name in ("server", "process"):
        script = f"trap 'echo {name} >> {order}; exit 0' TERM; echo up; while :; do sleep 0.05; done"
        scene.supervisor.start(scene.shell(name, script), stop_seconds=5)
        assert scene.heard(name, "up")
    scene.supervisor.stop()
    assert order.read_text().split() == ["process", "server"]


def test_after_a_restart_what_has_to_follow_follows_until_it_succeeds(scene: Scene, tmp_path: Path) -> None:
    """A broker that forgot its topic gets it back, even where the first attempt fails."""
    tried, crashed = tmp_path / "tried", tmp_path / "crashed"
    migrate = scene.shell("migrate", f"test -e {tried} && exit 0; touch {tried}; exit 69")
    migrate.once = True
    broker = scene.shell("kafka", f"test -e {crashed} && sleep 60; touch {crashed}; exit 1")
    broker.afterwards = migrate
    scene.supervisor.start(broker, stop_seconds=1)
    scene.tend_until_dead(broker)
    assert not tried.exists()

    scene.now += FIRST_PAUSE
    scene.supervisor.tend()
    scene.tend_until_dead(migrate)
    assert ("migrate", f"ended with 69; starts again in {FIRST_PAUSE:g} s") in scene.said

    scene.now += FIRST_PAUSE
    scene.supervisor.tend()
    success = migrate.child.pid
    scene.tend_until_dead(migrate)
    assert migrate.child.poll() == 0
    scene.now += LONGEST_PAUSE
    scene.supervisor.tend()
    assert migrate.child.pid == success
