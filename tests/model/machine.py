"""The model as hypothesis explores it: what may happen, in any order, what must hold all the while and in the end."""

from __future__ import annotations

import copy
from itertools import pairwise

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.model import actors
from tests.model.broken import NOTHING, Rule
from tests.model.world import World

_which = st.integers(0, 1)
_steps = st.integers(1, 8)
_offsets = st.integers(0, 12)
_ROUNDS = 60


class Protocol(RuleBasedStateMachine):
    """Two consumers, two workers, repair, clients, and whatever goes wrong."""

    broken: frozenset[Rule] = NOTHING

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.consumers = [actors.consumer(self.world, self.broken) for _ in range(2)]
        self.workers = [actors.worker(self.world, self.broken) for _ in range(2)]
        self.repair = actors.repair(self.world, self.broken)

    # --- What is to happen -------------------------------------------------------------------------------------------

    @rule(outcome=st.sampled_from(["202", "202", "no answer, kept", "no answer, not kept"]), gap=st.booleans())
    def client_uploads(self, outcome: str, gap: bool) -> None:
        upload, self.world.uploads = self.world.uploads, self.world.uploads + 1
        if outcome != "no answer, not kept":
            self.world.log.append(upload, gap)
        if outcome == "202" or Rule.ACKNOWLEDGED_FIRST in self.broken:
            self.world.acknowledged.add(upload)

    @rule()
    def client_uploads_poison(self) -> None:
        upload, self.world.uploads = self.world.uploads, self.world.uploads + 1
        self.world.poison.add(upload)
        self.world.log.append(upload)
        self.world.acknowledged.add(upload)

    @precondition(lambda self: self.unsure)
    @rule(heard=st.booleans())
    def client_sends_again(self, heard: bool) -> None:
        upload = min(self.unsure)
        self.world.log.append(upload)
        if heard:
            self.world.acknowledged.add(upload)

    @rule(which=_which, steps=_steps)
    def consumer_goes_on(self, which: int, steps: int) -> None:
        for _ in range(steps):
            next(self.consumers[which])

    @rule(which=_which, steps=_steps)
    def worker_goes_on(self, which: int, steps: int) -> None:
        for _ in range(steps):
            next(self.workers[which])

    @rule(steps=_steps)
    def repair_goes_on(self, steps: int) -> None:
        for _ in range(steps):
            next(self.repair)

    @rule()
    def all_goes_well(self) -> None:
        self.consumer_goes_on(0, 12)
        while self.world.queue:
            self.worker_goes_on(0, 4)

    # --- What goes wrong ---------------------------------------------------------------------------------------------

    @rule(which=_which)
    def consumer_dies(self, which: int) -> None:
        self.consumers[which] = actors.consumer(self.world, self.broken)

    @rule(which=_which)
    def worker_dies(self, which: int) -> None:
        self.workers[which] = actors.worker(self.world, self.broken)

    @rule(fate=st.sampled_from(["rolled back", "committed, and the answer is lost"]))
    def next_transaction_is(self, fate: str) -> None:
        self.world.database.fates = [fate]

    @rule()
    def redis_forgets(self) -> None:
        self.world.queue.clear()

    @precondition(lambda self: self.world.sent)
    @rule(number=_offsets)
    def message_comes_again(self, number: int) -> None:
        self.world.queue.insert(0, self.world.sent[number % len(self.world.sent)])

    @rule(offset=st.one_of(st.just(0), _offsets))
    def group_offset_is_set(self, offset: int) -> None:
        self.world.kafka_commit, self.world.committed_for = min(offset, self.world.log.end), None

    @rule()
    def topic_is_made_again(self) -> None:
        self.world.log.recreate()

    @rule(at=_offsets)
    def log_is_cut(self, at: int) -> None:
        self.world.log.cut(at)

    @rule(start=_offsets)
    def retention_passes(self, start: int) -> None:
        if self.world.log.start < start <= self.world.log.end:
            self.world.log.retain(start)

    @rule()
    def backup_is_made(self) -> None:
        self.world.database.backup = copy.deepcopy(self.world.database.state)

    @rule()
    def backup_is_restored(self) -> None:
        self.world.database.state = copy.deepcopy(self.world.database.backup)
        self.world.committed_for = None

    @precondition(lambda self: Rule.KEYS_ARE_KEPT in self.broken)
    @rule()
    def keys_are_pruned(self) -> None:
        self.world.database.state.keys.clear()

    # --- What must hold ----------------------------------------------------------------------------------------------

    @property
    def unsure(self) -> set[int]:
        """The uploads that a client will send again."""
        return set(range(self.world.uploads)) - self.world.acknowledged

    @invariant()
    def i1_no_line_counts_twice(self) -> None:
        twice = {upload: count for upload, count in self.world.database.state.rows.items() if count > 1}
        assert not twice, f"I1: {twice} count more than once"

    @invariant()
    def i2_what_is_done_is_counted(self) -> None:
        if not {Rule.ONE_TRANSACTION, Rule.CLAIM_WITH_ROWS} & self.broken:
            wrong = [
                one for one in self.world.database.state.batches if one.state == "done" and one.counted != one.lines
            ]
            assert not wrong, f"I2: {wrong} are done, and their lines are not counted"

    @invariant()
    def i3_ranges_touch(self) -> None:
        ordered = sorted(self.world.database.state.batches, key=lambda one: (one.stream, one.generation, one.first))
        for one, other in pairwise(ordered):
            if (one.stream, one.generation) == (other.stream, other.generation):
                assert one.next == other.first, f"I3: {one} and {other} do not touch"

    @invariant()
    def i4_kafka_is_told_of_nothing_that_is_not_done(self) -> None:
        state, owner = self.world.database.state, self.world.committed_for
        for one in state.pending():
            if (one.stream, one.generation) == owner:
                assert self.world.kafka_commit <= one.first, f"I4: {self.world.kafka_commit} is past {one}"

    def teardown(self) -> None:
        """All faults end: then everything settles, and every upload that was acknowledged counts once."""
        self.world.database.fates.clear()
        for upload in sorted(self.unsure):
            self.world.log.append(upload)
            self.world.acknowledged.add(upload)
        for _ in range(_ROUNDS):
            self.all_goes_well()
            self.repair_goes_on(4)
            self.all_goes_well()
            if self.is_settled():
                break
        state = self.world.database.state
        assert self.is_settled(), f"I5: {state.pending()} stay pending, or the plan stays at {state.plans}"
        self.i1_no_line_counts_twice()
        self.i2_what_is_done_is_counted()
        self.i3_ranges_touch()
        for upload in self.world.acknowledged:
            counted = state.dead[upload] if upload in self.world.poison else state.rows[upload]
            assert counted or self.world.is_lost(upload), f"I1: upload {upload} was acknowledged, and is lost"

    def is_settled(self) -> bool:
        """Whether all that Kafka has is planned and done."""
        state, log = self.world.database.state, self.world.log
        plan = state.plans.get(state.streams.get(log.topic_id, 0))
        last = max((record.offset + 1 for record in log.records), default=log.start)
        return not state.pending() and plan is not None and plan.next_plan >= last
