"""The rules of the protocol, each of which can be broken on purpose: a model that does not notice proves nothing."""

from __future__ import annotations

from enum import Enum


class Rule(Enum):
    """A rule; its text says what happens where it is broken."""

    ACKNOWLEDGED_FIRST = "202 is answered only when Kafka has the upload: answered before"
    FENCE = "a range is planned only where the plan stands at its first offset: planned wherever it was read"
    TOPIC_ID = "a broker is asked whether the topic is the one that was read: the cached answer is trusted"
    MYSQL_WINS = "a partition goes on where MySQL's plan ends: where Kafka's committed offset says"
    COMMIT_IS_WATERMARK = "Kafka is told the least pending offset: it is told what was read"
    CLAIM = "a batch is done only by who finds it pending: by whoever has a message"
    CLAIM_NAMES_THE_RANGE = "a claim compares the whole range: only where it begins"
    DIGEST = "a batch is done of the records that its digest is of: of whatever stands in its range"
    ONE_TRANSACTION = "claim and rows are one transaction: the rows are committed first"
    CLAIM_WITH_ROWS = "claim and rows are one transaction: the claim is committed first"
    INSERT_THEN_LOOK = "keys are inserted, then looked at: looked at first"
    KEYS_KNOW_GENERATIONS = "a key names the generation of its record: the offset alone"
    KEYS_ARE_KEPT = "keys are kept as long as a retry may come: pruned at once"
    TRUNCATION = "the record at the mark is read again at each assignment: it is believed"
    SPLIT_SHRINKS = "a split takes from the batch what it gives away: the batch stays as it is"
    REPAIR = "what stays pending is sent again: never"
    LOSS = "what can never be read is written off: it stays pending"


NOTHING: frozenset[Rule] = frozenset()
