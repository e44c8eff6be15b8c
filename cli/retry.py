"""Dead letters sent again, some at a time."""

from __future__ import annotations

from cli.letters import Chosen, chunks
from cli.table import Paper
from pipeline import producer
from pipeline.retry import OVERTAKEN, UnfitError, record, send, topic_ids
from pipeline.settings import Settings
from pipeline.storage import Store


def run(settings: Settings, store: Store, chosen: Chosen, replace: str | None, again: bool, paper: Paper) -> int:
    """Sends the letters that are fit for it, and names the others; returns 1 where there are some.

    Raises Unavailable where Kafka does not take one: it is not marked, and may be sent once more.
    """
    unfit, sent = 0, 0
    topics = topic_ids(store)
    sending = producer.build(settings)
    try:
        for chunk in chunks(store, chosen):
            fit = []
            for letter in chunk:
                try:
                    fit.append(record(letter, topics.get(letter.stream, ""), replace, again, settings.max_lines))
                except UnfitError as error:
                    unfit += 1
                    paper.say(f"{letter.id}: {error}")
            taken = {*send(sending, settings.kafka_topic, store, fit)}
            sent += len(taken)
            for one in fit:
                if one.id not in taken:
                    unfit += 1
                    paper.say(f"{one.id}: {OVERTAKEN}")
    finally:
        sending.close(timeout=1)
    paper.say(f"sent {sent:,} again" + (f", left {unfit:,} as they are" if unfit else ""))
    return 1 if unfit else 0
