"""Consumer, worker and repair as the protocol has them, one step at a time: between two `yield`s anything may happen.

What the product decides without a server (`Gathered`, digests, identities, lines) is the product's own code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from consumer.gathered import Gathered
from pipeline import batch
from tasks import upload_keys
from tests.model.broken import Rule
from tests.model.world import Batch, Message, Plan, Record, State, Unknown, World, digest

Broken = frozenset[Rule]
Actor = Iterator[str]


class Fenced(Exception):  # noqa: N818 (the product's name)
    """Somebody else has moved the plan on."""


def consumer(world: World, broken: Broken) -> Actor:
    """Takes the plan's word, polls, plans, dispatches, and tells Kafka how far all is done."""
    while True:
        topic_id = world.log.topic_id
        try:
            stream, plan = world.database.transact(lambda state: assigned(world, state, broken))
        except Unknown:
            yield "not assigned"
            continue
        position = world.kafka_commit if Rule.MYSQL_WINS in broken else plan.next_plan
        yield "assigned"
        try:
            yield from polling(world, broken, topic_id, stream, plan.generation, Gathered(position))
        except (Fenced, Unknown):
            yield "starting over"


def polling(world: World, broken: Broken, topic_id: int, stream: int, generation: int, gathered: Gathered) -> Actor:
    """Polls until the plan is not what it was. Raises Fenced, Unknown."""
    sought, epoch = True, world.log.epoch
    while True:
        if world.log.epoch != epoch or not world.log.start <= gathered.position <= world.log.end:
            raise Fenced  # The client says that another leader has cut the log, or that the offset is out of range.
        polled = world.log.read(gathered.position)
        yield "polled"
        if not gathered.take(polled, 0.0, sought):
            raise Fenced
        sought = sought and not polled
        if gathered.lines:
            if Rule.TOPIC_ID not in broken and world.log.topic_id != topic_id:
                raise Fenced
            yield "about to plan"
            records, lines = gathered.head()
            first = gathered.next_plan
            message = Message(topic_id, generation, first, records[-1].offset + 1, digest(records))  # type: ignore[arg-type]
            world.database.transact(planning(broken, stream, message, records, lines))  # type: ignore[arg-type]
            yield "planned"
            gathered.planned(len(records))
            world.send(message)
            yield "dispatched"
        state = world.database.state
        plan = state.plans.get(stream)
        if plan is None or (plan.generation, plan.next_plan) != (generation, gathered.next_plan):
            raise Fenced
        if Rule.TOPIC_ID not in broken and world.log.topic_id != topic_id:
            raise Fenced
        pending = [one.first for one in state.pending() if (one.stream, one.generation) == (stream, generation)]
        watermark = min([*pending, plan.next_plan])
        world.kafka_commit = gathered.position if Rule.COMMIT_IS_WATERMARK in broken else watermark
        world.committed_for = stream, generation
        yield "idle"


def assigned(world: World, state: State, broken: Broken) -> tuple[int, Plan]:
    """The stream and its plan, after a look at the mark: a log that was cut and grew again is another generation."""
    stream = state.streams.setdefault(world.log.topic_id, world.log.topic_id)
    plan = state.plans.setdefault(stream, Plan())
    if Rule.TRUNCATION not in broken and plan.mark is not None and plan.mark[0] >= world.log.start:
        offset, value = plan.mark
        if [record.value for record in world.log.read(offset, offset + 1)] != [value]:
            write_off(state, lambda one: one.stream == stream and one.generation == plan.generation)
            plan.generation, plan.next_plan, plan.mark = plan.generation + 1, world.log.start, None
    if world.log.start > plan.next_plan:
        lost = Batch(stream, plan.generation, plan.next_plan, world.log.start, 0, b"", "lost")
        state.batches.append(lost)
        plan.next_plan = world.log.start
    return stream, plan


def planning(
    broken: Broken, stream: int, message: Message, records: Sequence[Record], lines: int
) -> Callable[[State], None]:
    """The plan's transaction. Raises Fenced."""

    def work(state: State) -> None:
        plan = state.plans.get(stream)
        stands = plan is not None and (plan.generation, plan.next_plan) == (message.generation, message.first)
        if plan is None or (not stands and Rule.FENCE not in broken):
            raise Fenced
        plan.next_plan, plan.mark = message.next, (records[-1].offset, records[-1].value)
        state.batches.append(Batch(stream, message.generation, message.first, message.next, lines, message.digest))

    return work


def worker(world: World, broken: Broken) -> Actor:
    """Takes a message, reads its range, and does all of it in one transaction."""
    while True:
        if not world.queue:
            yield "nothing to do"
            continue
        message = world.queue.pop(0)
        yield "has a message"
        records = world.log.read(message.first, message.next) if message.topic_id == world.log.topic_id else []
        if Rule.DIGEST not in broken and digest(records) != message.digest:
            continue
        yield "has read"
        keys = {place.record: identity for place, identity in upload_keys.identities(records).items()}
        looked = {identity: world.database.state.keys.get(identity) for identity in keys.values()}
        yield "about to write"
        try:
            if any(record.upload in world.poison for record in records):
                world.database.transact(splitting(broken, message, records))
            elif Rule.ONE_TRANSACTION in broken:
                world.database.transact(lambda state: rows(state, broken, message, records, keys, looked))  # noqa: B023
                yield "has written rows"
                world.database.transact(lambda state: claim(state, broken, message))  # noqa: B023
            elif Rule.CLAIM_WITH_ROWS in broken:
                claimed = world.database.transact(lambda state: claim(state, broken, message) is not None)  # noqa: B023
                yield "has claimed"
                if claimed:
                    world.database.transact(lambda state: rows(state, broken, message, records, keys, looked))  # noqa: B023
            else:
                world.database.transact(executing(broken, message, records, keys, looked))
        except Unknown:
            yield "does not know"
        yield "done"


def executing(
    broken: Broken,
    message: Message,
    records: Sequence[Record],
    keys: dict[int, bytes],
    looked: dict[bytes, tuple[int, ...] | None],
) -> Callable[[State], None]:
    """The actor's transaction: no claim, no effect."""

    def work(state: State) -> None:
        if (one := claim(state, broken, message)) is not None:
            one.counted = rows(state, broken, message, records, keys, looked)

    return work


def claim(state: State, broken: Broken, message: Message) -> Batch | None:
    """The batch that a message names, now done; None where it is not pending (any more)."""
    stream = state.streams.get(message.topic_id)
    for one in state.batches:
        if (one.stream, one.generation, one.first) != (stream, message.generation, message.first):
            continue
        if Rule.CLAIM_NAMES_THE_RANGE not in broken and (one.next, one.digest) != (message.next, message.digest):
            continue
        if one.state == "pending" or (one.state == "done" and Rule.CLAIM in broken):
            one.state = "done"
            return one
    return None


def rows(
    state: State,
    broken: Broken,
    message: Message,
    records: Sequence[Record],
    keys: dict[int, bytes],
    looked: dict[bytes, tuple[int, ...] | None],
) -> int:
    """Inserts the keys, and counts each record that its key names; returns how many lines are accounted for."""
    stream = state.streams.get(message.topic_id, 0)
    for number, record in enumerate(records):
        generation = 0 if Rule.KEYS_KNOW_GENERATIONS in broken else message.generation
        mine = (stream, generation, record.offset)
        owner = state.keys.setdefault(keys[number], mine)
        if Rule.INSERT_THEN_LOOK in broken:
            owner = looked[keys[number]] or mine
        if owner == mine:
            state.rows[record.upload] += 1
    return len(records)


def splitting(broken: Broken, message: Message, records: Sequence[Record]) -> Callable[[State], None]:
    """Halves a batch whose data is poison; one record alone is a dead letter."""

    def work(state: State) -> None:
        one = claim(state, broken, message)
        if one is None:
            return
        if len(records) == 1:
            state.dead[records[0].upload] += 1
            one.counted = one.lines
            return
        one.state = "pending"
        low, high = records[: len(records) // 2], records[len(records) // 2 :]
        middle = high[0].offset
        state.batches.append(Batch(one.stream, one.generation, middle, one.next, len(high), digest(high)))
        if Rule.SPLIT_SHRINKS not in broken:
            one.next, one.lines, one.digest = middle, sum(map(batch.lines, low)), digest(low)

    return work


def repair(world: World, broken: Broken) -> Actor:
    """Sends again what is pending, and writes off what can never be read."""
    while True:
        if Rule.LOSS not in broken:
            try:
                world.database.transact(lambda state: look_for_losses(world, state))
            except Unknown:
                yield "does not know"
        yield "looked"
        topics = {stream: topic_id for topic_id, stream in world.database.state.streams.items()}
        pending = [] if Rule.REPAIR in broken else world.database.state.pending()
        for one in pending:
            world.send(Message(topics[one.stream], one.generation, one.first, one.next, one.digest))
        yield "sent again"


def look_for_losses(world: World, state: State) -> None:
    """Pending batches of a topic that is gone, or from before the log's beginning, are lost."""
    live = state.streams.get(world.log.topic_id)
    write_off(state, lambda one: one.stream != live or one.first < world.log.start)


def write_off(state: State, is_lost: Callable[[Batch], bool]) -> None:
    """Has pending batches be lost."""
    for one in state.pending():
        if is_lost(one):
            one.state = "lost"
