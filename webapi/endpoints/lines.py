"""Endpoints of stored lines."""

from __future__ import annotations

from typing import Final

import msgspec

from webapi import declarations as declared
from webapi.answers.lines import LineAnswer, LogsAnswer
from webapi.endpoints.endpoint import STORED, Answer, Endpoint, json_of
from webapi.parameter import Parameter

_LAST_EVENT_ID: Final[Parameter[int | None]] = msgspec.structs.replace(
    declared.LAST_EVENT_ID,
    name="Last-Event-ID",
    description="What browsers send when they connect again; goes before `last_event_id`.",
)

LINES: Final = (
    Endpoint(
        path="/logs",
        group="Lines",
        summary="Stored lines, newest first",
        description=(
            "A page of the stored lines of which everything that is said holds. Follow `meta.next`, or the `Link`"
            " header, for the next page: it costs the same however far it is, which `offset` does not."
        ),
        parameters=declared.LOGS,
        answers=json_of(LogsAnswer, "A page of lines.", "Link"),
        problems=STORED,
        example="/logs?status=5xx&range=hour&limit=2",
    ),
    Endpoint(
        path="/logs/{id}",
        group="Lines",
        summary="One stored line",
        description="The line that has this `id`.",
        in_path=(declared.ID,),
        answers=json_of(LineAnswer, "The line."),
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
        problems=STORED,
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
)
