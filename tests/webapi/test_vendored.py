"""Scripts of others are what their publishers gave out, but for the changes that are written down."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

import webapi

VENDOR = Path(webapi.__file__).parent / "static" / "vendor"
VENDORED: list[dict[str, Any]] = json.loads((VENDOR / "vendored.json").read_text())


def each(entry: dict[str, Any]) -> str:
    return str(entry["file"])


@pytest.mark.parametrize("entry", VENDORED, ids=each)
def test_a_vendored_file_is_the_one_that_was_written_down(entry: dict[str, Any]) -> None:
    assert hashlib.sha256((VENDOR / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]


@pytest.mark.parametrize("entry", VENDORED, ids=each)
def test_without_our_changes_it_is_what_its_publisher_gave_out(entry: dict[str, Any]) -> None:
    text = (VENDOR / entry["file"]).read_bytes()
    for edit in entry.get("edits", ()):
        assert text.count(edit["ours"].encode()) == 1
        text = text.replace(edit["ours"].encode(), edit["published"].encode())
    assert hashlib.sha256(text).hexdigest() == entry["sha256_published"]


@pytest.mark.parametrize("entry", VENDORED, ids=each)
def test_it_says_its_version_and_has_its_licence_beside_it(entry: dict[str, Any]) -> None:
    licence = (VENDOR / entry["licence_file"]).read_text()
    assert entry["version"]
    assert {"MIT": "MIT License", "Apache-2.0": "Apache License"}[entry["licence"]] in licence


def test_nothing_is_there_that_was_not_written_down() -> None:
    said = {name for entry in VENDORED for name in (entry["file"], entry["licence_file"])}
    assert {path.name for path in VENDOR.iterdir()} == said | {"vendored.json"}
