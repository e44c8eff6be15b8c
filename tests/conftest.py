"""Which servers this run of the tests covers, and the fixtures that hand them out."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog

from cli import ports
from cli.child import Child
from cli.tether import Tether
from pipeline.settings import Settings
from tests import servers
from tests.browser import chromium
from tests.faults.matrix import CELLS, lack
from tests.servers import Backend

CHOSEN = pytest.StashKey[list[str]]()
MISSING = pytest.StashKey[list[str]]()
Launch = Callable[..., Child]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--backend embedded` for a quick run."""
    parser.addoption(
        "--backend", choices=("embedded", "real"), help="only this set of servers (default: all there are)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Chooses the backends: the embedded one always, the real one where all of its servers are found."""
    config.addinivalue_line("markers", "real_only: a test for the real servers alone; the fixture `real` implies it")
    config.addinivalue_line("markers", "any_servers: a test to which the servers make no difference; runs on one set")
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        # No worker is given a port that another has been given and does not listen on yet.
        ports.share(int(worker.removeprefix("gw")), int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
    missing = servers.missing_real_servers()
    only = config.getoption("--backend")
    required = os.environ.get("TALLY_REQUIRE_SERVERS") == "1"
    if missing and (required or only == "real"):
        raise pytest.UsageError(f"the real servers are required, and these are missing: {', '.join(missing)}")
    if required and not chromium.found():
        raise pytest.UsageError("a browser is required, and Chromium is missing; `make servers` installs it")
    config.stash[CHOSEN] = [
        name for name in ("embedded", "real") if only in (None, name) and (name == "embedded" or not missing)
    ]
    config.stash[MISSING] = missing
    # Where rich is installed, structlog draws each traceback with it, all variables included: seconds for each.
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Names the backends that are covered, and why one is not."""
    chosen = config.stash[CHOSEN]
    lines = [f"backends: {', '.join(chosen)}"]
    if "real" not in chosen:
        why = (
            f"missing {', '.join(config.stash[MISSING])}; `make servers` installs it"
            if config.stash[MISSING]
            else "--backend"
        )
        lines.append(f"not covered: real servers and the tests marked real_only ({why})")
    else:
        lines += [
            f"not covered: {row} ({why})" for row, why in sorted({(cell.fault, lack(cell)) for cell in CELLS}) if why
        ]
    if not chromium.found():
        lines.append("not covered: the pages in a browser (missing Chromium; `make servers` installs it)")
    return lines


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `backend` runs once for each that was chosen; once in all where they are alike to it."""
    if "backend" in metafunc.fixturenames:
        only_real = "real" in metafunc.fixturenames or metafunc.definition.get_closest_marker("real_only")
        names = ["real"] if only_real else metafunc.config.stash[CHOSEN]
        if metafunc.definition.get_closest_marker("any_servers"):
            names = names[:1]
        metafunc.parametrize("backend", names, indirect=True, scope="session")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves out the tests for which something is missing: real servers that were not chosen, a browser."""
    real, browser = "real" in config.stash[CHOSEN], chromium.found()

    def has(item: pytest.Item, fixture: str) -> bool:
        return fixture in getattr(item, "fixturenames", ())

    def lacks(item: pytest.Item) -> bool:
        only_real = item.get_closest_marker("real_only") or has(item, "real")
        return bool((only_real and not real) or (has(item, "browser") and not browser))

    left_out = [item for item in items if lacks(item)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def running_backends() -> Iterator[Callable[[str], Backend]]:
    """Starts a backend when it is first asked for, and all of them once a session."""
    started: dict[str, Backend] = {}
    with contextlib.ExitStack() as stack:

        def get(name: str) -> Backend:
            if name not in started:
                started[name] = stack.enter_context(servers.running(name))
            return started[name]

        yield get


@pytest.fixture(scope="session")
def backend(request: pytest.FixtureRequest, running_backends: Callable[[str], Backend]) -> Backend:
    """Each chosen set of servers in turn."""
    return running_backends(request.param)


@pytest.fixture(scope="session")
def real(running_backends: Callable[[str], Backend]) -> Backend:
    """The real servers, for a test that would mean nothing on others."""
    return running_backends("real")


@pytest.fixture(autouse=True)
def _mended(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test does to the servers, the next test does not see."""
    used = [request.getfixturevalue(name) for name in ("backend", "real") if name in request.fixturenames]
    yield
    for servers_of_test in used:
        servers_of_test.mend()


@pytest.fixture(scope="session")
def tether() -> Iterator[Tether]:
    """Ends every process of the tests with the tests."""
    tether = Tether()
    yield tether
    tether.close()


@pytest.fixture
def launch(tether: Tether, tmp_path: Path) -> Iterator[Launch]:
    """`launch("consumer", environment, *arguments)` starts `tally consumer`, with `Child`'s handles.

    Whatever still runs at the test's end is killed; the logs' ends are shown with a test that fails.
    """
    started: list[Child] = []

    def launch(command: str, environment: dict[str, str], *arguments: str) -> Child:
        known = {field.upper() for field in Settings.model_fields}
        inherited = {name: value for name, value in os.environ.items() if name not in known}
        argv = [sys.executable, "-m", "cli.main", command, *arguments]
        log = tmp_path / f"{command}-{len(started)}.log"
        child = Child(
            tether, command, argv, environment=inherited | {"PYTHONPATH": str(servers.ROOT)} | environment, log=log
        )
        started.append(child)
        child.start()
        return child

    yield launch
    for child in started:
        child.kill()
        if child.log and child.log.exists():
            sys.stdout.write(f"--- {child.log.name}\n{child.log.read_text(errors='replace')[-4000:]}\n")
