"""Explores the model and breaks each rule: `python -m tests.model [EXAMPLES [SEED]]`; the seed is said first."""

from __future__ import annotations

import re
import sys

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests import seed as seeds
from tests.model.broken import NOTHING, Rule
from tests.model.machine import Protocol

STEPS = 40
_STORY = re.compile(r"^state\.(?!i[1-5]_|teardown)\w+\(", re.MULTILINE)


def explore(broken: frozenset[Rule], examples: int, number: int, shrink: bool) -> BaseException | None:
    """What the model notices, with its story in the notes; None where nothing is wrong."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    given = settings(
        max_examples=examples,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=phases,
        suppress_health_check=list(HealthCheck),
        print_blob=False,
        report_multiple_bugs=False,
    )
    machine = seed(number)(type("Explored", (Protocol,), {"broken": broken}))
    try:
        run_state_machine_as_test(machine, settings=given)
    except Exception as error:
        return error
    return None


def main(examples: str = "1000", number: str = "") -> int:
    """Prints what was found, rule by rule; returns 1 where the protocol fails or a broken rule goes unnoticed."""
    chosen = seeds.said(number)
    if (error := explore(NOTHING, int(examples), chosen, shrink=True)) is not None:
        print(error, *getattr(error, "__notes__", ()), sep="\n")
        return 1
    print(f"{examples} stories of up to {STEPS} events: every upload counts once\n")
    unnoticed = 0
    print("| rule: where it is broken | noticed by | events |\n|---|---|---|")
    for rule in Rule:
        error = explore(frozenset([rule]), 10 * int(examples), chosen, shrink=True)
        unnoticed += error is None
        story = "\n".join(getattr(error, "__notes__", ()))
        by, events = (str(error)[:2], str(len(_STORY.findall(story)))) if error else ("nothing", "-")
        print(f"| {rule.value} | {by} | {events} |", flush=True)
    return int(bool(unnoticed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
