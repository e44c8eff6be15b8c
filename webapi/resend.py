"""A dead letter sent again for who looks at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import Conflict

from pipeline.errors import Unavailable
from pipeline.models import DeadLetter
from pipeline.settings import Settings
from pipeline.storage import Store

Resend = Callable[[int, str | None, bool], bool]
"""Sends the letter of an id again, with another text for its line if there is one, and also a second time if that is
asked for; False where there is no such letter. Raises Conflict for one that is not fit for it, and Unavailable."""


def resending(store: Store, settings: Settings) -> Resend:
    """Sends letters with a producer of its own each: it is seldom done, and costs nobody anything meanwhile."""

    def resend(id: int, replace: str | None, again: bool) -> bool:
        # Here and not above: Kafka's client has its megabytes, and few processes ever need it.
        from pipeline import producer
        from pipeline.retry import OVERTAKEN, UnfitError, record, send, topic_ids

        letter: Any = store.read(lambda: DeadLetter.select().where(DeadLetter.id == id).first())
        if letter is None:
            return False
        try:
            fit = record(letter, topic_ids(store).get(letter.stream, ""), replace, again, settings.max_lines)
        except UnfitError as error:
            raise Conflict(str(error)) from None
        sending = producer.build(settings)
        try:
            taken = send(sending, settings.kafka_topic, store, [fit])
        finally:
            sending.close(timeout=1)
        if not taken:
            raise Conflict(OVERTAKEN)
        return True

    return resend


def nowhere(_id: int, _replace: str | None, _again: bool) -> bool:
    """Of an application that nobody told where Kafka is."""
    raise Unavailable("kafka", "nobody said where it is")
