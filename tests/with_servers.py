"""Runs a command beside servers of its own: `python -m tests.with_servers real tally bench`.

The servers are those of the tests, empty; the command's environment leads to them. They end with the command.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

from tests import servers


def main(name: str, *command: str) -> int:
    """Runs `command` beside backend `name` and returns its exit code; 69 where servers are missing."""
    if name == "real" and (missing := servers.missing_real_servers()):
        print(f"missing: {', '.join(missing)}; `make servers` installs it", file=sys.stderr)
        return 69
    with (
        servers.running(name) as backend,
        subprocess.Popen(command, env=os.environ | backend.environment()) as process,
    ):
        # Ctrl-C reaches both; this one is meant for the command too, which would go on without servers.
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        try:
            return process.wait()
        except BaseException:
            process.kill()
            raise


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
