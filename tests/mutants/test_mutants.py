"""The list of mutants does not rot: what each changes stands there once, and the test that it names exists."""

from __future__ import annotations

import ast
from collections import Counter

import pytest

from tests.mutants.__main__ import ROOT
from tests.mutants.rows import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda one: one.rule)
def test_what_a_mutant_changes_stands_there_once_and_is_python_before_and_after(mutant: Mutant) -> None:
    text = (ROOT / mutant.file).read_text()
    assert text.count(mutant.stands) == 1
    broken = text.replace(mutant.stands, mutant.broken)
    assert ast.dump(ast.parse(broken)) != ast.dump(ast.parse(text))


@pytest.mark.parametrize("test", sorted({one.test for one in MUTANTS}))
def test_a_test_that_is_to_notice_exists(test: str) -> None:
    file, _, name = test.partition("::")
    functions = [node.name for node in ast.parse((ROOT / file).read_text()).body if isinstance(node, ast.FunctionDef)]
    assert name.partition("[")[0] in functions


def test_each_rule_is_told_once() -> None:
    assert [rule for rule, times in Counter(one.rule for one in MUTANTS).items() if times > 1] == []
