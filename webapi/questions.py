"""What the web API is asked, understood: times are UTC, and both ends of a window are included."""

from __future__ import annotations

from datetime import datetime

import msgspec

from pipeline.selection import Selection


class LogsQuestion(msgspec.Struct, frozen=True):
    """A page of `/logs`, newest first; with `before` only lines whose id is less, as a cursor asks.

    `range_name` is there where the window was given by its name.
    """

    selection: Selection
    start: datetime | None
    end: datetime | None
    range_name: str | None
    limit: int
    offset: int
    before: int | None = None


class ExportQuestion(msgspec.Struct, frozen=True):
    """The lines of `/logs/export`, all of them without `limit`; `format` is csv or ndjson."""

    selection: Selection
    start: datetime | None
    end: datetime | None
    format: str
    limit: int | None


class TailQuestion(msgspec.Struct, frozen=True):
    """The lines of `/logs/tail`: those that come, after those whose id is greater than `last_event_id`."""

    selection: Selection
    last_event_id: int | None


class StatsQuestion(msgspec.Struct, frozen=True):
    """Which statistic `/stats` is asked for; the selection is of status, method and route."""

    kind: str
    start: datetime
    end: datetime
    range_name: str | None
    scope: str
    selection: Selection


class SeriesQuestion(msgspec.Struct, frozen=True):
    """Which points `/stats/series` is asked for, of all requests or by class of status; `step` is in seconds."""

    metric: str
    by: str | None
    step: int
    start: datetime
    end: datetime
    range_name: str | None
    scope: str
    selection: Selection


class TopQuestion(msgspec.Struct, frozen=True):
    """What `/stats/top` ranks, by what it is sorted, and how many are named.

    A selection of address, path or latency is there only where `by` is path or ip.
    """

    by: str
    sort: str
    limit: int
    start: datetime
    end: datetime
    range_name: str | None
    scope: str
    selection: Selection


class DeadLettersQuestion(msgspec.Struct, frozen=True):
    """A page of `/dead-letters`, newest first: those whose id is less than `before`."""

    reason: str | None
    start: datetime | None
    end: datetime | None
    limit: int
    before: int | None


class LedgerQuestion(msgspec.Struct, frozen=True):
    """Which minutes `/ledger` is asked for: from `first` on and before `end`, None for all there are."""

    first: datetime | None
    end: datetime | None


class OverviewQuestion(msgspec.Struct, frozen=True):
    """What `/overview` is asked for, all of the same lines: `tops` by what they rank."""

    summary: StatsQuestion
    requests: SeriesQuestion
    latency: SeriesQuestion
    visitors: SeriesQuestion
    tops: dict[str, TopQuestion]
    ledger: LedgerQuestion
