"""Endpoints of where lines are, and how the pipeline itself is."""

from __future__ import annotations

from typing import Final

from pipeline.keyring import ADMIN
from webapi import declarations as declared
from webapi.answers.dead_letters import DeadLetterAnswer, DeadLettersAnswer, Retry
from webapi.answers.ledger import DaysAnswer, LedgerAnswer
from webapi.answers.pipeline import FlowAnswer
from webapi.endpoints.endpoint import STORED, Endpoint, json_of

LEDGER: Final = (
    Endpoint(
        path="/pipeline/status",
        group="Ledger",
        summary="How the pipeline itself is",
        description=(
            "What is wrong in words, each hop from the door to the database with what it does and what waits there, and"
            " what every process says of itself: its counters, how fast they rise, its last error."
        ),
        answers=json_of(FlowAnswer, "The status."),
        problems=STORED,
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
        answers=json_of(LedgerAnswer, "The sums."),
        problems=STORED,
        example="/ledger",
    ),
    Endpoint(
        path="/ledger/days",
        group="Ledger",
        summary="Where every line is, by day",
        description="The ledger's sums for each day (UTC) on which lines were planned, oldest first.",
        parameters=declared.LEDGER,
        answers=json_of(DaysAnswer, "The days."),
        problems=STORED,
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
        answers=json_of(DeadLettersAnswer, "A page of dead letters.", "Link"),
        problems=STORED,
        example="/dead-letters?limit=2",
    ),
    Endpoint(
        path="/dead-letters/{id}",
        group="Ledger",
        summary="One dead letter",
        description="The letter that has this `id`, with all that is kept of it.",
        in_path=(declared.LETTER_ID,),
        answers=json_of(DeadLetterAnswer, "The letter."),
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
            "As an upload of its own: what a new version can read, or with `replace` what its line should have been."
            " The same words count once, also sent `again`. Where no keys are required, this machine may."
        ),
        in_path=(declared.LETTER_ID,),
        body=Retry,
        sent='{"replace": "2025-06-10T10:41:40Z 184.116.4.244 GET /cart 404 3ms"}',
        answers=json_of(DeadLetterAnswer, "Kafka has it: the letter, marked."),
        problems=(400, 403, 404, 409, 415, 429, 503),
        example="/dead-letters/1/retry",
    ),
)
