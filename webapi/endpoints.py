"""Every endpoint, declared once: what the API's document says of it."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from pipeline.keyring import ADMIN, READ
from webapi import answers
from webapi import declarations as declared
from webapi.declarations import Parameters
from webapi.parameter import Parameter

JSON: Final = "application/json"
HTML: Final = "text/html"
TEXT: Final = "text/plain"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that is no problem: for each content type a struct, or None for text; and its further headers."""

    description: str
    content: dict[str, Any]
    headers: tuple[str, ...] = ()


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """A path and a method. `example` is a query to begin with; `problems` are statuses.

    `body` is what is sent, a struct as JSON, and `sent` an example of it.

    `scope` is what a key must allow where keys are required; None: nobody needs one, as it shows no line and no number
    of lines of a time.
    """

    path: str
    method: str = "GET"
    scope: str | None = READ
    body: Any = None
    sent: str = "{}"
    group: str
    summary: str
    description: str
    answers: dict[int, Answer]
    parameters: Parameters = ()
    in_path: Parameters = ()
    in_header: Parameters = ()
    problems: tuple[int, ...] = ()
    example: str = ""

    @property
    def rule(self) -> str:
        """The path as Flask has it."""
        return self.path.replace("{id}", "<number>")


def _json(struct: Any, description: str, *headers: str) -> dict[int, Answer]:
    return {200: Answer(description=description, content={JSON: struct}, headers=headers)}


_STORED: Final = (400, 503)
_LAST_EVENT_ID: Final[Parameter[int | None]] = msgspec.structs.replace(
    declared.LAST_EVENT_ID,
    name="Last-Event-ID",
    description="What browsers send when they connect again; goes before `last_event_id`.",
)

ENDPOINTS: Final = (
    Endpoint(
        path="/logs",
        group="Lines",
        summary="Stored lines, newest first",
        description=(
            "A page of the stored lines of which everything that is said holds. Follow `meta.next`, or the `Link`"
            " header, for the next page: it costs the same however far it is, which `offset` does not."
        ),
        parameters=declared.LOGS,
        answers=_json(answers.LogsAnswer, "A page of lines.", "Link"),
        problems=_STORED,
        example="/logs?status=5xx&range=hour&limit=2",
    ),
    Endpoint(
        path="/logs/{id}",
        group="Lines",
        summary="One stored line",
        description="The line that has this `id`.",
        in_path=(declared.ID,),
        answers=_json(answers.LineAnswer, "The line."),
        problems=(400, 404, 503),
        example="/logs/1",
    ),
    Endpoint(
        path="/logs/export",
        group="Lines",
        summary="Stored lines as a file",
        description="The lines that `/logs` would page through, newest first, streamed as CSV or as one JSON a line.",
        parameters=declared.EXPORT,
        answers={
            200: Answer(
                description="The lines, as they are read.",
                content={"text/csv": None, "application/x-ndjson": None},
                headers=("Content-Disposition",),
            )
        },
        problems=_STORED,
        example="/logs/export?format=csv&range=day&status=5xx",
    ),
    Endpoint(
        path="/logs/tail",
        group="Lines",
        summary="Stored lines as they come",
        description=(
            "Server-sent events: `line`, with the line's JSON and its id, for each line stored from now on or after"
            " `Last-Event-ID`; `dropped`, with how many were left out where too many come; `problem` before it ends."
        ),
        parameters=declared.TAIL,
        in_header=(_LAST_EVENT_ID,),
        answers={200: Answer(description="Events, until you hang up.", content={"text/event-stream": None})},
        problems=(400, 429, 503),
        example="/logs/tail?q=status:5xx",
    ),
    Endpoint(
        path="/stats",
        group="Statistics",
        summary="One of the statistics",
        description=(
            "Of a window that ends now, or of any. Statistics of `range` come from a cache, and say how old they are"
            " (`Age`, `X-Cache`, `meta.computed_at`). What is estimated says its relative error in `meta.estimated`."
        ),
        parameters=declared.STATS,
        answers=_json(answers.StatsAnswer, "The statistic.", "Age", "X-Cache"),
        problems=_STORED,
        example="/stats?type=summary&range=hour&scope=all",
    ),
    Endpoint(
        path="/stats/series",
        group="Statistics",
        summary="A statistic over time",
        description="Points of equal steps, oldest first; where nothing happened they are there, with zeros.",
        parameters=declared.SERIES,
        answers=_json(answers.SeriesAnswer, "The points."),
        problems=_STORED,
        example="/stats/series?metric=requests&by=class&range=day&step=15m",
    ),
    Endpoint(
        path="/stats/top",
        group="Statistics",
        summary="The busiest, the slowest, those with the most errors",
        description="Routes, paths, statuses, methods or addresses, ranked. `path` and `ip` know stored lines only.",
        parameters=declared.TOPS,
        answers=_json(answers.TopAnswer, "The ranking."),
        problems=_STORED,
        example="/stats/top?by=route&sort=p95&range=hour&scope=all",
    ),
    Endpoint(
        path="/overview",
        group="Statistics",
        summary="All that a page shows first, in one answer",
        description=(
            "The summary, requests by class, latencies and visitors over time, the first of routes, statuses, methods"
            " and addresses, and where the lines are: each as its own endpoint tells it, or with a `problem` in its"
            " place. What only stored rows can tell is looked for during a twentieth of a second each; `meta.coverage`"
            " says how far that got."
        ),
        parameters=declared.OVERVIEW,
        answers=_json(answers.OverviewAnswer, "The overview."),
        problems=_STORED,
        example="/overview?range=hour&routes=p95",
    ),
    Endpoint(
        path="/rules/preview",
        group="Statistics",
        summary="What another DISCARD_STATUS would have stored",
        description="Of the last day's lines, beside what was stored of them; from rollups, which know discarded ones.",
        parameters=declared.PREVIEW,
        answers=_json(answers.PreviewAnswer, "Both, by status."),
        problems=_STORED,
        example="/rules/preview?discard_status=2xx,3xx",
    ),
    Endpoint(
        path="/pipeline/status",
        group="Ledger",
        summary="How the pipeline itself is",
        description=(
            "What is wrong in words, each hop from the door to the database with what it does and what waits there, and"
            " what every process says of itself: its counters, how fast they rise, its last error."
        ),
        answers=_json(answers.FlowAnswer, "The status."),
        problems=_STORED,
        example="/pipeline/status",
    ),
    Endpoint(
        path="/ledger",
        group="Ledger",
        summary="Where every line is",
        description=(
            "Every line that was received is in one class: stored, discarded, rejected, duplicate, lost or pending. For"
            " everything, or for the whole minutes of planning time in which `from` and `to` lie."
        ),
        parameters=declared.LEDGER,
        answers=_json(answers.LedgerAnswer, "The sums."),
        problems=_STORED,
        example="/ledger",
    ),
    Endpoint(
        path="/ledger/days",
        group="Ledger",
        summary="Where every line is, by day",
        description="The ledger's sums for each day (UTC) on which lines were planned, oldest first.",
        parameters=declared.LEDGER,
        answers=_json(answers.DaysAnswer, "The days."),
        problems=_STORED,
        example="/ledger/days",
    ),
    Endpoint(
        path="/dead-letters",
        group="Ledger",
        summary="What could not be stored, and why",
        description=(
            "The lines, and the records as a whole, that the ledger counts as rejected, newest first, with where they"
            " stood. They are kept as long as rows are. `tally dead-letters` sends them again."
        ),
        parameters=declared.DEAD_LETTERS,
        answers=_json(answers.DeadLettersAnswer, "A page of dead letters.", "Link"),
        problems=_STORED,
        example="/dead-letters?limit=2",
    ),
    Endpoint(
        path="/dead-letters/{id}",
        group="Ledger",
        summary="One dead letter",
        description="The letter that has this `id`, with all that is kept of it.",
        in_path=(declared.LETTER_ID,),
        answers=_json(answers.DeadLetterAnswer, "The letter."),
        problems=(400, 404, 503),
        example="/dead-letters/1",
    ),
    Endpoint(
        path="/dead-letters/{id}/retry",
        method="POST",
        scope=ADMIN,
        group="Ledger",
        summary="Send a dead letter again",
        description=(
            "As an upload of its own, which counts once however often it is sent: what a new version can read, or with"
            " `replace` what its line should have been. Where no keys are required, this machine may."
        ),
        in_path=(declared.LETTER_ID,),
        body=answers.Retry,
        sent='{"replace": "2025-06-10T10:41:40Z 184.116.4.244 GET /cart 404 3ms"}',
        answers=_json(answers.DeadLetterAnswer, "Kafka has it: the letter, marked."),
        problems=(400, 403, 404, 409, 415, 503),
        example="/dead-letters/1/retry",
    ),
    Endpoint(
        path="/session",
        scope=None,
        group="Session",
        summary="Whether keys are required, and who is logged in",
        description="As the request's cookie says it. A program needs no session, but a key in `Authorization`.",
        answers=_json(answers.SessionAnswer, "The session, or that there is none."),
        example="/session",
    ),
    Endpoint(
        path="/login",
        method="POST",
        scope=None,
        group="Session",
        summary="Log in with an API key",
        description=(
            "For pages: a key that may read begins a session of twelve hours, in a cookie that scripts do not see and"
            " other sites do not send. It ends with the key."
        ),
        body=answers.Login,
        sent='{"key": "tally_…"}',
        answers=_json(answers.SessionAnswer, "The session has begun.", "Set-Cookie"),
        problems=(400, 401, 403, 409, 415, 429),
        example="/login",
    ),
    Endpoint(
        path="/logout",
        method="POST",
        scope=None,
        group="Session",
        summary="Log out",
        description="Has the browser forget its session.",
        answers=_json(answers.SessionAnswer, "There is none any more.", "Set-Cookie"),
        problems=(403, 415),
        example="/logout",
    ),
    Endpoint(
        path="/healthz",
        scope=None,
        group="Operation",
        summary="Whether this process answers",
        description="Asks nobody else.",
        answers=_json(answers.Health, "It does."),
        example="/healthz",
    ),
    Endpoint(
        path="/readyz",
        scope=None,
        group="Operation",
        summary="Whether its dependencies answer",
        description="Each is named. Without the cache it is slower, and ready all the same.",
        answers={
            200: Answer(description="It is ready.", content={JSON: answers.Readiness}),
            503: Answer(description="It is not.", content={JSON: answers.Readiness}),
        },
        example="/readyz",
    ),
    Endpoint(
        path="/metrics",
        scope=None,
        group="Operation",
        summary="Counters, for Prometheus",
        description="In Prometheus' text format.",
        answers={200: Answer(description="The counters.", content={TEXT: None})},
        example="/metrics",
    ),
    Endpoint(
        path="/",
        scope=None,
        group="About",
        summary="The dashboard, or what there is",
        description="For who accepts `text/html` the page for people, for everybody else the paths of all endpoints.",
        answers={200: Answer(description="The paths, or the page.", content={JSON: answers.Index, HTML: None})},
        example="/",
    ),
    Endpoint(
        path="/pipeline",
        scope=None,
        group="About",
        summary="The dashboard's page about the pipeline itself",
        description="A shell without data: its scripts ask for that.",
        answers={200: Answer(description="The page.", content={HTML: None})},
        example="/pipeline",
    ),
    Endpoint(
        path="/openapi.json",
        scope=None,
        group="About",
        summary="This document",
        description="OpenAPI 3.1.",
        answers=_json(dict, "The document."),
        example="/openapi.json",
    ),
    Endpoint(
        path="/docs",
        scope=None,
        group="About",
        summary="This document, for people",
        description="A page without scripts.",
        answers={200: Answer(description="The page.", content={HTML: None})},
        example="/docs",
    ),
)
