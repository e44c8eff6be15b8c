"""The cache on Redis: statistics, and what each process says of itself. It may be away: everything here is advice."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pipeline import server_url
from pipeline.errors import Unavailable
from pipeline.statistic import Statistic

# Seconds that a statistic is kept at the most, by its range. Of others none is: nobody keeps them warm.
KEPT_SECONDS: Final = {"hour": 120, "day": 600, "week": 1800}
# The first lines ever are news: "nothing" is not said for long after them.
EMPTY_KEPT_SECONDS: Final = 5
# A request never waits longer than this for Redis, twice at the most; after that, nobody asks for a while.
_PATIENCE, _REST = 0.25, 2.0
# What a process said last is of most interest when it has died of it.
_STATUS_SECONDS = 3_600

_decoder = msgspec.json.Decoder(Statistic)


class Cache:
    """One Redis; threads may share it. After a failure it counts as away for two seconds, without being asked."""

    def __init__(self, client: redis.Redis, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._clock = clock
        self._away_until = 0.0

    @classmethod
    def open(cls, url: str) -> Cache:
        """A cache at `redis://host:port/number`; nothing is connected yet. Raises ConfigurationError."""
        server_url.split("CACHE_URL", url)
        try:
            client = redis.Redis.from_url(
                url, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE, retry=Retry(NoBackoff(), 1)
            )
        except ValueError:
            raise server_url.unreadable("CACHE_URL") from None
        return cls(client)

    def statistic(self, kind: str, range_name: str, scope: str) -> Statistic | None:
        """What is kept of a statistic, None where there is nothing. Raises Unavailable."""
        found = self._ask(lambda: self._client.get(_statistic_key(kind, range_name, scope)))
        try:
            return _decoder.decode(found) if found else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None  # Another version's, or somebody else's: computed again, and overwritten.

    def keep_statistic(self, statistic: Statistic, range_name: str, scope: str) -> None:
        """Keeps a statistic for as long as its range allows. Raises Unavailable."""
        key = _statistic_key(statistic.type, range_name, scope)
        seconds = KEPT_SECONDS[range_name] if any(statistic.data.values()) else EMPTY_KEPT_SECONDS
        self._ask(lambda: self._client.set(key, msgspec.json.encode(statistic), ex=seconds))

    def answer(self, name: str) -> dict[str, Any] | None:
        """An answer that is kept under a name, None where there is none. Raises Unavailable."""
        found = self._ask(lambda: self._client.get(f"answers:{name}"))
        try:
            return msgspec.json.decode(found, type=dict[str, Any]) if found else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None

    def keep_answer(self, name: str, answer: dict[str, Any], seconds: int) -> None:
        """Keeps an answer for so many seconds. Raises Unavailable."""
        self._ask(lambda: self._client.set(f"answers:{name}", msgspec.json.encode(answer), ex=seconds))

    def keep_status(self, name: str, host: str, pid: int, status: dict[str, Any]) -> None:
        """Keeps what a process says of itself for an hour. Raises Unavailable."""
        key = f"process:{name}:{host}:{pid}"
        self._ask(lambda: self._client.set(key, msgspec.json.encode(status), ex=_STATUS_SECONDS))

    def statuses(self) -> list[dict[str, Any]]:
        """What each process says of itself, and in `age_seconds` how long ago it did. Raises Unavailable."""

        def ask() -> list[tuple[bytes, Any, int]]:
            keys = sorted(self._client.scan_iter("process:*", count=1_000))
            with self._client.pipeline(transaction=False) as asking:
                for key in keys:
                    asking.get(key)
                    asking.pttl(key)
                found = asking.execute()
            return list(zip(keys, found[::2], found[1::2], strict=True))

        return [status for key, said, left in self._ask(ask) if (status := _status(key, said, left)) is not None]

    def agreed(self, name: str, value: bytes) -> bytes:
        """What was said first under a name by anybody who has this cache: `value`, or another. Raises Unavailable."""

        def ask() -> bytes:
            self._client.set(f"agreed:{name}", value, nx=True)
            found: Any = self._client.get(f"agreed:{name}")
            return value if found is None else bytes(found)

        return bytes(self._ask(ask))

    def check(self) -> None:
        """Raises Unavailable unless Redis answers now."""
        self._away_until = 0.0
        self._ask(self._client.ping)

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()

    def _ask(self, question: Callable[[], Any]) -> Any:
        if self._clock() < self._away_until:
            raise Unavailable("cache", "it did not answer a moment ago")
        try:
            return question()
        except redis.RedisError as error:
            self._away_until = self._clock() + _REST
            raise Unavailable("cache", error) from error


def _status(key: bytes, said: bytes | None, left: int) -> dict[str, Any] | None:
    """A status with the host and the pid of its key; None for what has gone meanwhile, or is nobody's status."""
    _, _, rest = key.decode(errors="replace").partition(":")
    name, _, place = rest.partition(":")
    host, _, pid = place.rpartition(":")
    try:
        status = msgspec.json.decode(said or b"", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not pid.isdigit() or status.get("name") != name:
        return None
    # Redis' clock and nobody else's: hosts may disagree.
    return {**status, "host": host, "pid": int(pid), "age_seconds": round(_STATUS_SECONDS - left / 1000, 1)}


def _statistic_key(kind: str, range_name: str, scope: str) -> str:
    return f"statistics:{kind}:{range_name}:{scope}"
