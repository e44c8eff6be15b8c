"""The named steps at which a process may be told to die (`pipeline/checkpoint.py`)."""

STEPS = {
    "receiver": ("receiver.before_send", "receiver.acknowledged"),
    "consumer": ("consumer.polled", "consumer.planned", "consumer.dispatched"),
    "worker": ("actor.read", "actor.claimed", "actor.rows", "actor.written", "actor.committed"),
}
