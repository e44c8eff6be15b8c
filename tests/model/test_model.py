"""The protocol holds in every interleaving that is tried, and each of its rules is needed for that."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.broken import Rule
from tests.model.machine import Protocol

_SETTINGS = settings(
    max_examples=300, stateful_step_count=40, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)


def test_every_upload_counts_once_whatever_goes_wrong() -> None:
    run_state_machine_as_test(Protocol, settings=_SETTINGS)


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name.lower())
def test_a_broken_rule_is_noticed(rule: Rule) -> None:
    broken = type("Broken", (Protocol,), {"broken": frozenset([rule])})
    found = settings(_SETTINGS, max_examples=3_000, phases=[Phase.generate], derandomize=True)
    with pytest.raises(Exception, match=r"I[1-5]:"):
        run_state_machine_as_test(broken, settings=found)
