"""Whether a process that runs on this machine could do its work now."""

from __future__ import annotations

import urllib.request

from cli.ports import address
from pipeline.settings import Settings


def is_ready(settings: Settings, process: str) -> bool:
    """Whether the process answers, and its dependencies answer it."""
    try:
        with urllib.request.urlopen(f"{address(settings, process)}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
