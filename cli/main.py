"""The `tally` command: everything in one terminal, one process in the foreground, or a question."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from cli import polars_environment, ports, questions
from cli.dead_letters import dead_letters
from cli.keys import keys
from pipeline import settings
from pipeline.process import guarded

QUEUES = ("stats", "ingest")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="tally")
def tally() -> None:
    """HTTP access logs, every line accounted for: REST to Kafka to MySQL, with statistics you can trust.

    Settings are environment variables; .env.example lists them. Exit codes: 0 done, 1 failure, 2 usage,
    69 a server is away, 78 a setting is wrong.
    """


@tally.command()
def up() -> None:
    """Run everything here, with embedded servers for whatever the settings do not name."""
    from cli.up import run

    guarded("up", lambda: run(settings.load()))


@tally.command()
def migrate() -> None:
    """Bring the database's tables up to date and make the topic; safe to repeat, and to run twice at once."""
    guarded("migrate", _migrate)


def _migrate() -> int:
    from pipeline import schema, topic

    loaded = settings.load()
    applied = schema.migrate(loaded.database_url)
    for name in applied:
        click.echo(f"applied {name}")
    if not applied:
        click.echo("the tables are up to date")
    click.echo(f"{'made the' if topic.ensure(loaded) else 'there is a'} topic {loaded.kafka_topic}")
    return 0


@tally.command()
def receiver() -> None:
    """Take uploads over HTTP and hand them to Kafka."""
    from receiver.main import main

    guarded("receiver", main)


@tally.command()
def consumer() -> None:
    """Plan batches of the topic, and see to it that each is done."""
    from consumer.main import main

    guarded("consumer", main)


@tally.command()
@click.option("--threads", type=click.IntRange(1, 64), default=2, show_default=True, help="Batches worked on at once.")
@click.option("--queues", multiple=True, type=click.Choice(QUEUES), help="Serve only this queue; may be repeated.")
def worker(threads: int, queues: tuple[str, ...]) -> None:
    """Store batches and compute statistics."""
    guarded("worker", lambda: _become_dramatiq(threads, queues))


def _become_dramatiq(threads: int, queues: tuple[str, ...]) -> int:
    """Replaces this process by Dramatiq's, which forks one worker process.

    What is wrong with the settings is found here, where it still has an exit code of its own.
    """
    _require_buildable(settings.load())
    environment = polars_environment.OF_WORKERS | {
        # The longest that an idle thread sleeps before it looks whether it is to stop, in ms; work wakes it at once.
        "dramatiq_worker_timeout": "200",
        # One batch more than there are threads: whatever else waits could still become part of a larger one.
        "dramatiq_queue_prefetch": str(threads + 1),
    }
    command = [sys.executable, "-m", "dramatiq", "tasks.main:start", "--processes", "1", "--threads", str(threads)]
    command += ["--worker-shutdown-timeout", "4000", "--skip-logging"]
    if queues:
        command += ["--queues", *queues]
    os.execve(sys.executable, command, environment | os.environ)


def _require_buildable(given: settings.Settings) -> None:
    """Raises ConfigurationError for what only `tasks.main` would find, in a process that ends with Dramatiq's codes."""
    from pipeline import exposure, messages
    from pipeline.cache import Cache
    from pipeline.storage import Store

    exposure.require_intended(given, given.admin_host)
    ports.require_free(given, "worker")
    Store.open(given.database_url)
    messages.build_broker(given.redis_url)
    Cache.open(given.cache_url)


@tally.command()
def scheduler() -> None:
    """Ask for statistics and housekeeping, by the clock."""
    from scheduler.main import main

    guarded("scheduler", main)


@tally.command()
def webapi() -> None:
    """Answer questions about logs and statistics over HTTP."""
    from webapi.main import main

    guarded("webapi", main)


@tally.command()
def generator() -> None:
    """Send made-up log lines to a receiver."""
    from generator.main import main

    guarded("generator", main)


@tally.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a path, each on its line.")
def route(paths: tuple[str, ...], as_json: bool) -> None:
    """Show which route a path is counted as, and by which rule."""
    from cli.route import run

    guarded("route", lambda: run(settings.load(), paths, as_json))


@tally.command()
@click.option("--quick", is_flag=True, help="In a minute: two workloads, each once, and two points of the sweep.")
@click.option("--soak", type=click.IntRange(1), metavar="MINUTES", help="As --quick, and then load for so long.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it there, as JSON.")
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the sweep there, as SVG.")
def bench(quick: bool, soak: int | None, output: Path | None, plot: Path | None) -> None:
    """Measure the pipeline on the servers that the settings name; the database must be empty, and is filled.

    `make bench` runs it beside servers of its own. Exit code 1 where a line was lost.
    """
    from cli.bench.run import QUICK, Schedule, run

    schedule = QUICK._replace(soak=soak or 0) if quick or soak else Schedule()
    guarded("bench", lambda: run(settings.load(), schedule, output, plot))


@tally.command("bench-queries")
@click.option(
    "--rows",
    multiple=True,
    type=click.IntRange(1_000),
    default=(2_000_000,),
    help="A size to measure; may be repeated.",
)
@click.option("--repeats", type=click.IntRange(2), default=100, show_default=True, help="Requests of a kind.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="The most for a kind that takes long.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write all of it there, as JSON.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of the made-up traffic.")
def bench_queries(rows: tuple[int, ...], repeats: int, seconds: float, output: Path | None, seed: int) -> None:
    """Measure what questions cost on a database full of rows; it must be empty, and is filled.

    `make bench-queries` runs it beside servers of its own.
    """
    from cli.bench.queries import run

    guarded("bench-queries", lambda: run(settings.load(), rows, repeats, seconds, output, seed))


for command in (*questions.COMMANDS, dead_letters, keys):
    tally.add_command(command)


if __name__ == "__main__":
    tally()
