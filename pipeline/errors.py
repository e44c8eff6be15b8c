"""Everything of ours that can go wrong, as one tree."""

from __future__ import annotations


class TallyError(Exception):
    """The root of the errors that this project raises."""

    exit_code = 1


class ConfigurationError(TallyError):
    """A setting is missing or makes no sense; the message names it."""

    exit_code = 78


class Unavailable(TallyError):
    """A server that is needed does not answer; the message names it."""

    exit_code = 69

    def __init__(self, dependency: str, detail: object) -> None:
        """`dependency` is the name that `/readyz` uses: kafka, database, redis or cache."""
        super().__init__(f"{dependency} is not available: {detail}")
        self.dependency = dependency
        self.detail = str(detail)


class Refused(Unavailable):
    """A server answers and cannot do it now, or is not set up for it: its disk is full, a table or a right is missing.

    A person mends it; until then it is waited for, as for a server that is away.
    """


class Denied(TallyError):
    """A request is not allowed: `status` is 401, 403 or 429, `retry_after` in how many seconds it may be, or 0."""

    def __init__(self, status: int, detail: str, retry_after: int = 0) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after


class TooSlow(TallyError):
    """The database ended a query that took longer than its limit."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is the limit."""
        super().__init__(f"a query took longer than {seconds:g} s")
        self.seconds = seconds


class LineFault(TallyError):
    """A line breaks the grammar: `reason` is a word to count by, `detail` says it to a person."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class DocumentFault(TallyError):
    """An upload as a whole cannot be read; nothing of it is kept."""


class Fenced(TallyError):
    """Somebody else has moved the plan on: what was read here is void."""


class RangeChanged(TallyError):
    """A range of the topic no longer holds the records that were planned."""


class Unreadable(TallyError):
    """A stretch of the log, from offset `first` to before `next` of partition `part`, cannot be taken apart."""

    def __init__(self, part: int, first: int, after: int, detail: object) -> None:
        super().__init__(f"partition {part} cannot be read from {first} to before {after}: {detail}")
        self.part = part
        self.first = first
        self.next = after


class Poison(TallyError):
    """A batch's data makes its processing raise; the batch is to be split."""


class Vanished(Poison):
    """A batch's workers ended while they worked on it; what of it ends them is not to be tried once more."""


class TooWide(Poison):
    """A batch's lines are dated so far apart that its rollups would hold their locks for long; it is to be split."""

    def __init__(self, detail: str, cuts: list[int]) -> None:
        """`cuts` are the records, by number, before which it may be cut."""
        super().__init__(detail)
        self.cuts = cuts


class BadParameter(TallyError):
    """A query's parameter cannot be understood; the message says what would be.

    `character` is at which of its characters, the first being 1, where that is known.
    """

    def __init__(self, name: str, detail: str, character: int | None = None) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name
        self.detail = detail
        self.character = character
