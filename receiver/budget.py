"""The bytes of all uploads in hand, bounded, so that no number of clients fills the memory."""

from __future__ import annotations

from types import TracebackType

from receiver.refusal import try_again


class Budget:
    """How many bytes are in hand, of `limit`; one thread's."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def hold(self) -> Hold:
        """A context in which an upload takes bytes; they are given back at its end."""
        return Hold(self)


class Hold:
    """One upload's share of the budget."""

    __slots__ = ("_budget", "_bytes")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._bytes = 0

    def take(self, count: int) -> None:
        """Takes `count` more bytes. Raises Refusal (503) where that is more than there are."""
        if self._budget.held + count > self._budget.limit:
            raise try_again("too many bytes of uploads are in hand already, and this one was not taken")
        self._budget.held += count
        self._bytes += count

    def __enter__(self) -> Hold:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.held -= self._bytes
