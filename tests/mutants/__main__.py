"""Breaks each rule of the protocol in a copy of the product: `python -m tests.mutants [WORDS]`, those with these words.

The test that is named for a rule must pass as the product stands, and fail where the rule is broken.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.mutants.rows import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[2]
_LEFT_OUT = (".git", ".venv", ".servers", ".tally", "__pycache__", ".*_cache", ".hypothesis")
# Seconds for one test; the slowest takes a minute.
PATIENCE = 300


def is_real(test: str) -> bool:
    """Whether a test is one of the real servers."""
    return "[real" in test


def pytest(tree: Path, tests: Sequence[str], backend: str) -> tuple[int, str]:
    """Runs tests in a tree; returns pytest's exit code and what it said."""
    environment = os.environ | {
        "PYTHONPATH": str(tree),
        # Hundreds of modules are imported, each time.
        "PYTHONDONTWRITEBYTECODE": "",
        "TALLY_KAFKA_HOME": os.environ.get("TALLY_KAFKA_HOME") or str(ROOT / ".servers" / "kafka"),
    }
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--backend", backend, *tests]
    done = subprocess.run(
        argv, cwd=tree, env=environment, timeout=PATIENCE, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def require_unbroken(tree: Path, mutants: Sequence[Mutant]) -> None:
    """Runs every test once as the product stands. Raises SystemExit where one fails."""
    for backend in ("embedded", "real"):
        tests = sorted({one.test for one in mutants if is_real(one.test) == (backend == "real")})
        for start in range(0, len(tests), 20):
            code, said = pytest(tree, tests[start : start + 20], backend)
            if code:
                raise SystemExit(f"not all tests pass where nothing is broken:\n{said}")


def is_killed(tree: Path, mutant: Mutant) -> bool:
    """Breaks a rule in the tree, runs its test, and mends it; returns whether the test failed.

    Raises SystemExit where it could not be run: what is broken so that nothing can be imported proves nothing.
    """
    file = tree / mutant.file
    text = file.read_text()
    if text.count(mutant.stands) != 1:
        raise SystemExit(f"{mutant.file} has this {text.count(mutant.stands)} times, not once:\n{mutant.stands}")
    file.write_text(text.replace(mutant.stands, mutant.broken))
    try:
        code, said = pytest(tree, [mutant.test], "real" if is_real(mutant.test) else "embedded")
    finally:
        file.write_text(text)
    if code and not re.search(r"^FAILED ", said, re.MULTILINE):
        raise SystemExit(f"{mutant.rule}: the test was not run:\n{said}")
    return bool(code)


def main(*words: str) -> int:
    """Prints the table, a row a rule; returns 1 where a broken rule goes unnoticed."""
    chosen = [one for one in MUTANTS if all(word.lower() in f"{one.rule} {one.file}".lower() for word in words)]
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*_LEFT_OUT))
        require_unbroken(tree, chosen)
        survivors = 0
        print("| rule: what is done instead | in | noticed by | | s |\n|---|---|---|---|---|")
        for one in chosen:
            began = time.monotonic()
            killed = is_killed(tree, one)
            survivors += not killed
            name = one.test.partition("::test_")[2].partition("[")[0].replace("_", " ")
            outcome = "killed" if killed else "SURVIVED"
            print(f"| {one.rule} | `{one.file}` | {name} | {outcome} | {time.monotonic() - began:.0f} |", flush=True)
    print(f"\n{len(chosen)} rules broken, {survivors} not noticed")
    return int(bool(survivors))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
