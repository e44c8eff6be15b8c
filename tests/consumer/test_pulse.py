"""A poll loop that hangs is seen, and ends its process; one that waits or was frozen does not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cli.child import wait_until
from consumer.pulse import DEAD, LATE, Pulse
from pipeline import schema
from pipeline.errors import TallyError
from tests.servers import ROOT
from tests.topics import Topic

# A consumer of which little is asked before it counts as late, and that may be told to hang.
PROGRAM = """
import os, time
from kafka import KafkaConsumer
from consumer import main, pulse
pulse.LATE, pulse.DEAD = 4, 8
poll = KafkaConsumer.poll
def hang(self, **options):
    while self.config["group_id"] and os.path.exists("{hang}"):
        time.sleep(0.001)
    return poll(self, **options)
KafkaConsumer.poll = hang
raise SystemExit(main.main())
"""


def test_a_loop_that_is_silent_is_said_to_be_late_and_then_ends_the_process_once_a_second_is_asked() -> None:
    ended: list[int] = []
    pulse = Pulse(ended.append)
    for _ in range(LATE - 1):
        pulse.step()
    pulse.check()
    pulse.step()
    with pytest.raises(TallyError, match=f"{LATE} s"):
        pulse.check()
    for _ in range(DEAD - LATE - 1):
        pulse.step()
    assert ended == []
    pulse.step()
    assert ended == [1]


def test_a_beat_forgives_all_silence() -> None:
    pulse = Pulse(lambda code: pytest.fail(f"ended with {code}"))
    for _ in range(3):
        for _ in range(DEAD - 1):
            pulse.step()
        pulse.beat()
        pulse.check()


@contextmanager
def consuming(topic: Topic, hang: object) -> Iterator[subprocess.Popen[bytes]]:
    schema.migrate(topic.settings.database_url)
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("{hang}", str(hang))], cwd=ROOT, env=os.environ | topic.environment
    )
    try:
        assert wait_until(lambda: polls(topic) == "ok", 40)
        yield process
    finally:
        process.kill()
        process.wait()


def polls(topic: Topic) -> str | None:
    """What the consumer's `/readyz` says of its poll loop; None when it says nothing."""
    try:
        url = f"http://127.0.0.1:{topic.environment['CONSUMER_ADMIN_PORT']}/readyz"
        with urllib.request.urlopen(url, timeout=5) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
    except OSError:
        return None
    said: str = json.loads(body)["checks"]["poll"]
    return said


@pytest.mark.real_only
def test_a_consumer_whose_poll_does_not_return_is_not_ready_and_then_ends(
    topic: Topic, tmp_path_factory: pytest.TempPathFactory
) -> None:
    hang = tmp_path_factory.mktemp("pulse") / "hang"
    with consuming(topic, hang) as process:
        hang.touch()
        assert wait_until(lambda: "not come round" in (polls(topic) or ""), 20, 0.2)
        assert process.wait(20) == 1


@pytest.mark.real_only
def test_a_consumer_that_was_frozen_for_longer_goes_on(topic: Topic, tmp_path_factory: pytest.TempPathFactory) -> None:
    with consuming(topic, tmp_path_factory.mktemp("pulse") / "hang") as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(9)
        process.send_signal(signal.SIGCONT)
        for _ in range(20):
            assert process.poll() is None
            time.sleep(0.1)
        assert wait_until(lambda: polls(topic) == "ok", 10)
