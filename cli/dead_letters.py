"""`tally dead-letters`: what could not be stored, to look at, to send again, to take away."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import click

from cli.database import database
from cli.questions import asks, named, web_api
from cli.utf8 import utf8
from pipeline import settings
from pipeline.process import guarded

if TYPE_CHECKING:
    from cli.letters import Chosen
    from pipeline.storage import Store

# What the database can have: a BIGINT, or SQLite's INTEGER.
_ID: Final = click.IntRange(1, 2**63 - 1)


@click.group("dead-letters")
def dead_letters() -> None:
    """Look at what could not be stored, send it again, take it away.

    An ID that no letter has is named, and the others are handled; exit code 1 then.
    """


def _choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the ways to say which letters are meant."""
    for option in (
        click.option("--all", "every", is_flag=True, help="All there are."),
        click.option("--reason", callback=utf8, help="Those of one reason, such as poison."),
        click.argument("ids", metavar="[ID]...", nargs=-1, type=_ID),
    ):
        command = option(command)
    return command


@dead_letters.command("list")
@asks("from", "to")
@click.option("--reason", callback=utf8, help="Those of one reason, such as not_an_array.")
@click.option("--limit", type=int, help="How many, 50 by default, 200 at the most.")
@click.option("--before", type=int, metavar="ID", help="Older ones than this.")
def list_(as_json: bool, url: str | None, **query: Any) -> None:
    """Show dead letters, newest first: when, why, where they stood (partition, offset, line), and what came."""
    from cli.letters import show
    from cli.table import Paper

    guarded("dead-letters list", lambda: show(web_api(url), named(query), as_json, Paper()))


@dead_letters.command("show")
@click.argument("letter", metavar="ID", type=_ID)
@asks()
def show_one(letter: int, as_json: bool, url: str | None) -> None:
    """Show one dead letter with all that is kept of it."""
    from cli.letters import show_one
    from cli.table import Paper

    guarded("dead-letters show", lambda: show_one(web_api(url), letter, as_json, Paper()))


@dead_letters.command()
@_choosing
@click.option("--output", type=click.File("wb", lazy=True), default="-", help="A file; stdout without it.")
def export(ids: tuple[int, ...], reason: str | None, every: bool, output: Any) -> None:
    """Write dead letters from the database, one JSON object a line, oldest first; `payload` is base64."""
    chosen = _chosen(ids, reason, every)
    from cli.letters import export

    guarded("dead-letters export", lambda: _handled(chosen, lambda store: export(store, chosen, output)))


@dead_letters.command()
@_choosing
@click.option("--replace", metavar="LINE", callback=utf8, help="What the one line with this ID should have been.")
@click.option("--again", is_flag=True, help="Also those that were sent again before.")
def retry(ids: tuple[int, ...], reason: str | None, every: bool, replace: str | None, again: bool) -> None:
    """Send dead letters to Kafka again, as uploads of their own; the same words count once.

    What is not valid now, either, stays as it is and is named; exit code 1 then. Its lines are received anew, so that
    the ledger counts them a second time and balances; the dead letter stays, marked.
    """
    chosen = _chosen(ids, reason, every)
    if replace is not None and len(ids) != 1:
        raise click.UsageError("--replace goes with one ID")
    from cli.retry import run
    from cli.table import Paper

    def work(store: Store) -> int:
        return run(settings.load(), store, chosen, replace, again, Paper())

    guarded("dead-letters retry", lambda: _handled(chosen, work))


@dead_letters.command()
@_choosing
@click.option("--yes", is_flag=True, help="Without asking.")
def purge(ids: tuple[int, ...], reason: str | None, every: bool, yes: bool) -> None:
    """Delete dead letters for good. The ledger goes on to count their lines as rejected."""
    chosen = _chosen(ids, reason, every)
    from cli import letters

    def work(store: Store) -> int:
        # Those that are asked about, and none that come while somebody thinks.
        found = letters.ids(store, chosen)
        if found and not yes:
            click.confirm(f"Delete {len(found):,} dead letters for good?", abort=True, err=True)
        click.echo(f"deleted {letters.purge(store, found):,} dead letters", err=True)
        return 0

    guarded("dead-letters purge", lambda: _handled(chosen, work))


def _chosen(ids: tuple[int, ...], reason: str | None, every: bool) -> Chosen:
    from cli.letters import Chosen

    if sum(map(bool, (ids, reason, every))) != 1:
        raise click.UsageError("say which: either IDs, or --reason, or --all")
    return Chosen(ids, reason)


def _handled(chosen: Chosen, work: Callable[[Store], int]) -> int:
    """What `work` returns, which handles the letters that there are; 1 where an ID is no letter's, which is said first.

    Raises ConfigurationError, Unavailable, and what `work` raises.
    """
    from cli.letters import absent

    with database() as store:
        missing = absent(store, chosen)
        if missing:
            click.echo(f"there is no dead letter {', '.join(map(str, missing))}", err=True)
        return work(store) or int(bool(missing))
