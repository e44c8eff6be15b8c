"""The named steps at which a process may be told to die (`pipeline/checkpoint.py`)."""

from __future__ import annotations

from pathlib import Path

from pipeline.checkpoint import VARIABLE
from tests.servers import ROOT

STEPS = {
    "receiver": ("receiver.before_send", "receiver.acknowledged"),
    "consumer": ("consumer.polled", "consumer.planned", "consumer.dispatched"),
    "worker": ("actor.read", "actor.claimed", "actor.rows", "actor.written", "actor.committed"),
}
# To which a process comes only where a batch stays pending, or Redis forgets.
SELDOM = {"consumer": ("repair.marked",)}
# What is seen of a process that killed itself: granian and Dramatiq have a child do their work, and end when it has.
CODES = {"receiver": 1, "consumer": -9, "worker": 1}


def dying_at(step: str, note: Path) -> dict[str, str]:
    """The settings of a process that is to die at a step, and to write to `note`, a line a death, that it did."""
    return {VARIABLE: step, "TALLY_DIED": str(note), "PYTHONPATH": f"{Path(__file__).with_name('dying')}:{ROOT}"}
