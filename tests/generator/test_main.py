"""The generator as a process."""

from __future__ import annotations

from cli.child import wait_until
from tests.conftest import Launch
from tests.pipeline.test_sender import Receiver, receiver

__all__ = ["receiver"]


def test_the_process_sends_until_it_is_told_to_stop(receiver: Receiver, launch: Launch) -> None:
    child = launch("generator", {"TARGET_API_URL": receiver.url, "RPS": "20", "QTY_IN_BATCH": "5", "SEED": "1"})
    assert wait_until(lambda: len(receiver.received) >= 5, 20)
    child.terminate()
    assert child.wait(5) == 0
    assert child.log is not None
    assert '"accepted": ' in child.log.read_text()


def test_shares_that_are_more_than_all_are_refused(launch: Launch) -> None:
    child = launch("generator", {"CLIENT_ERROR_FREQ": "0.6", "SERVER_ERROR_FREQ": "0.5"})
    assert child.wait(20) == 78
