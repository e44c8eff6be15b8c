"""A stretch of time, to the microsecond. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000


class Window(NamedTuple):
    """From `start` to before `stop`, in microseconds since the epoch."""

    start: int
    stop: int

    @classmethod
    def of(cls, first: datetime, last: datetime) -> Window:
        """The window in which both times (UTC, aware or naive) are included."""
        return cls(microseconds(first), microseconds(last) + 1)

    @property
    def first(self) -> datetime:
        """The earliest time inside, aware."""
        return moment(self.start)

    @property
    def last(self) -> datetime:
        """The latest time inside, aware."""
        return moment(self.stop - 1)

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.stop - self.start) / _SECOND

    def before(self) -> Window:
        """The window of the same length that ends where this one begins; never before the epoch."""
        return Window(max(0, 2 * self.start - self.stop), self.start)

    def split(self, first_width: int, last_width: int) -> tuple[int, int, list[Window]]:
        """The first and the end (seconds) of the whole buckets inside, and the edges that are left of the window.

        The first bucket is `first_width` seconds wide, the last one `last_width`.
        """
        first = -(-self.start // (first_width * _SECOND)) * first_width
        end = self.stop // (last_width * _SECOND) * last_width
        edges = [Window(self.start, first * _SECOND), Window(end * _SECOND, self.stop)]
        if first >= end:
            first, end, edges = first, first, [self]
        return first, end, [edge for edge in edges if edge.start < edge.stop]

    def widened(self, first_width: int, last_width: int) -> Window:
        """The whole buckets that this window touches, the first and the last of these widths."""
        first, last = first_width * _SECOND, last_width * _SECOND
        return Window(self.start // first * first, -(-self.stop // last) * last)


def microseconds(at: datetime) -> int:
    """A time (UTC, aware or naive) as microseconds since the epoch."""
    return (at.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND


def moment(at: int) -> datetime:
    """Microseconds since the epoch as an aware time."""
    return _EPOCH + timedelta(microseconds=at)
