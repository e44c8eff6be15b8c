"""The commands that ask the web API; what they take is here, what they do is in the module of each one's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipeline import settings
from pipeline.process import guarded
from pipeline.statistic import DIMENSIONS, KINDS, METRICS, ORDERS, RANGES, SCOPES

if TYPE_CHECKING:
    from cli.ask import WebApi

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = {
    "from": click.option("--from", "from_", metavar="TIME", help="RFC 3339, such as 2025-06-10T10:41:40Z."),
    "to": click.option("--to", metavar="TIME", help="RFC 3339; included."),
    "range": click.option("--range", type=click.Choice(tuple(RANGES)), help="The time until now."),
    "scope": click.option("--scope", type=click.Choice(SCOPES), help="Stored lines (default), or discarded ones too."),
    "status": click.option("--status", help="Such as 404, 5xx or 404,5xx; !5xx is all but these."),
    "method": click.option("--method", help="Such as GET or POST,PUT; !GET is all but it."),
    "route": click.option("--route", help="Such as /products/{id}; !/products/{id} is all but it."),
    "ip": click.option("--ip", help="The client's address, or a network such as 10.0.0.0/8."),
    "path": click.option("--path", help="A part of the path."),
    "min_latency": click.option("--min-latency", metavar="MS", help="In milliseconds, included."),
    "max_latency": click.option("--max-latency", metavar="MS", help="In milliseconds, included."),
}
_FILTERS = ("status", "method", "route", "ip", "path", "min_latency", "max_latency")


def asks(*names: str) -> Callable[[F], F]:
    """Gives a command the options of these names, and those of every question."""

    def decorate(command: F) -> F:
        options = [_OPTIONS[name] for name in names]
        options.append(click.option("--json", "as_json", is_flag=True, help="Print the web API's JSON."))
        options.append(click.option("--url", help="The web API's address.  [default: by WEBAPI_HOST, WEBAPI_PORT]"))
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


@click.command()
@asks("from", "to")
def ledger(as_json: bool, url: str | None, **query: Any) -> None:
    """Show where every line is, by the day on which it was planned (UTC).

    TIMEs are cut to whole minutes. Exit code 1 when the ledger does not balance. With --json the answers of /ledger
    and of /ledger/days are one object.
    """
    from cli.ledger import run
    from cli.table import Paper

    guarded("ledger", lambda: run(web_api(url), named(query), as_json, Paper()))


@click.command()
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.option("--series", type=click.Choice(METRICS), help="A bar chart.")
@click.option("--step", help="With --series: how far its points are apart, such as 5m.")
@click.option("--by", type=click.Choice(("class",)), help="With --series: each class of statuses.")
@click.option("--top", type=click.Choice(DIMENSIONS), help="The busiest.")
@click.option("--sort", type=click.Choice(ORDERS), help="With --top.")
@click.option("--limit", type=int, help="With --top: how many.")
@asks("range", "from", "to", "scope", *_FILTERS)
def stats(kind: str | None, series: str | None, top: str | None, as_json: bool, url: str | None, **query: Any) -> None:
    """Show a statistic: a TYPE (summary by default), a --series over time, or the --top of a kind.

    Of the stored lines; those of DISCARD_STATUS are not among them, but with --scope all, as on the dashboard.
    Times are UTC. Into a pipe go tab-separated lines under a header. What is counted by status, method and route may
    be filtered by them; --top path and --top ip, which are counted in the stored lines, by everything.
    """
    if sum(one is not None for one in (kind, series, top)) > 1:
        raise click.UsageError("TYPE, --series and --top are three questions: ask one")
    _require("--series", series, query, "step", "by")
    _require("--top", top, query, "sort", "limit")
    from cli import stats as shown
    from cli.table import Paper

    show, of = (
        (shown.series, {"metric": series})
        if series
        else (shown.top, {"by": top})
        if top
        else (shown.one, {"type": kind or "summary"})
    )
    # `by` is the kind of a top and the parts of a series.
    guarded("stats", lambda: show(web_api(url), named(query) | of, as_json, Paper()))


def _require(option: str, given: str | None, query: dict[str, Any], *names: str) -> None:
    for name in names:
        if given is None and query[name] is not None:
            raise click.UsageError(f"--{name} goes with {option}")


@click.command()
@click.argument("query", nargs=-1)
@asks("range", "from", "to", *_FILTERS)
@click.option("--limit", type=int, help="How many lines, 50 by default; with --all how many at a time.")
@click.option("--all", "follow", is_flag=True, help="Every line, not only the first --limit.")
def logs(query: tuple[str, ...], follow: bool, as_json: bool, url: str | None, **filters: Any) -> None:
    """Show stored lines, newest first, those that QUERY finds, such as: status:5xx path:/api latency:>500

    Times are UTC. Into a pipe go tab-separated lines: time, status, latency in ms, address, method, path. A QUERY that
    begins with - follows a --.
    """
    from cli.logs import run
    from cli.table import Paper

    asked = {"q": " ".join(query) or None, **named(filters)}
    guarded("logs", lambda: run(web_api(url), asked, follow, as_json, Paper()))


@click.command()
@click.argument("query", nargs=-1)
@asks(*_FILTERS)
def tail(query: tuple[str, ...], as_json: bool, url: str | None, **filters: Any) -> None:
    """Follow lines as they are stored, those that QUERY finds, until Ctrl-C.

    Shown as by `tally logs`, the newest last. A stream that breaks is taken up where it was.
    """
    from cli.table import Paper
    from cli.tail import run

    asked = {"q": " ".join(query) or None, **named(filters)}
    guarded("tail", lambda: run(web_api(url), asked, as_json, Paper()))


def web_api(url: str | None) -> WebApi:
    """The web API that was named, or the settings' own. Raises ConfigurationError, QuestionError."""
    from cli import ports
    from cli.ask import WebApi

    # One that is named needs no other setting, so that a wrong one is not in the way.
    return WebApi(url or ports.address(settings.load(), "webapi"), settings.api_key())


def named(query: dict[str, Any]) -> dict[str, Any]:
    """Options as the parameters they are: `from` is a word of Python's."""
    return {name.rstrip("_"): value for name, value in query.items()}


COMMANDS = (ledger, stats, logs, tail)
