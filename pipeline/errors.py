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


class Poison(TallyError):
    """A batch's data makes its processing raise; the batch is to be split."""


class TooWide(Poison):
    """A batch's lines are dated so far apart that its rollups would hold their locks for long; it is to be split."""


class BadParameter(TallyError):
    """A query's parameter cannot be understood; the message says what would be.

    `character` is at which of its characters, the first being 1, where that is known.
    """

    def __init__(self, name: str, detail: str, character: int | None = None) -> None:
        super().__init__(f"{name}: {detail}")
        self.name = name
        self.detail = detail
        self.character = character
