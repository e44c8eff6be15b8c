"""How brokers are reached and waited for: whether one answers, no topic made by asking, nothing left of what failed."""

from __future__ import annotations

import select
import selectors
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka.net.compat import KafkaNetClient
from kafka.net.inet import KafkaNetSocket
from kafka.net.selector import NetworkSelector

from pipeline.errors import Unavailable


@contextmanager
def connecting() -> Iterator[Callable[..., KafkaNetClient]]:
    """What a client is to be built with, as its `kafka_client`.

    Where that raises, the connections are closed: kafka-python's constructors leave them, and a thread, behind.
    """
    made: list[KafkaNetClient] = []

    def connect(**options: Any) -> KafkaNetClient:
        options |= {"selector": _Selector, "proxy_url": f"{_Connector.SCHEMES[0]}://"}
        client = KafkaNetClient(_Net(**options), **options)
        made.append(client)
        # Which the client's own option of this name is to say: kafka-python 3.0.12 does not hand it on. Whoever asked
        # for a topic that was deleted would make it again, with the broker's number of partitions.
        client.cluster.config["allow_auto_create_topics"] = False
        return client

    try:
        yield connect
    except BaseException:
        for client in made:
            client.close()
        raise


class _Connector(KafkaNetSocket):  # type: ignore[misc]  # kafka-python ships no types
    """What connects a client whose `proxy_url` has this scheme: as without one, and closes what does not come about.

    kafka-python 3.0.12 leaves the socket of a connection that is refused, or late, to the garbage collector.
    """

    SCHEMES = ("closed-if-failed",)

    async def sock_connect(self, net: Any, sock: socket.socket, sockaddr: Any, timeout_at: float | None = None) -> Any:
        try:
            return await super().sock_connect(net, sock, sockaddr, timeout_at)
        except BaseException:
            sock.close()
            raise


class _Net(NetworkSelector):  # type: ignore[misc]
    """What a client's requests go through. It does not wait for a socket that can be written to already.

    kafka-python registers each socket before each write, and goes round once more: that is a fifth of what a produce
    request costs its thread.
    """

    def wait_write(self, fileobj: Any, timeout_at: float | None = None) -> Awaitable[None]:
        waiting: Awaitable[None] = _at_once() if _is_writable(fileobj) else super().wait_write(fileobj, timeout_at)
        return waiting


async def _at_once() -> None:
    pass


def _is_writable(fileobj: Any) -> bool:
    """Whether a write to a plain socket would not wait now, be it that it fails."""
    if type(fileobj) is not socket.socket or (number := fileobj.fileno()) < 0:
        return False
    asking = select.poll()
    asking.register(number, select.POLLOUT)
    return bool(asking.poll(0))


class _Selector(selectors.DefaultSelector):
    """What a client waits with. Before each request it asks for the key of a socket that is not registered.

    The standard library's answer spells out the socket, twice: four system calls, in each of which its thread lets go
    of the interpreter, and a twentieth of what a lone request costs. A number is soon spelt out.
    """

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        # One that is closed has no number any more, and is found as itself.
        return super().get_key(number if (number := fileobj.fileno()) >= 0 else fileobj)


def require_answer(bootstrap_servers: str) -> None:
    """Raises Unavailable unless one of the servers takes a connection."""
    failure: OSError | None = None
    for server in bootstrap_servers.split(","):
        host, _, port = server.strip().rpartition(":")
        try:
            socket.create_connection((host.strip("[]") or server, int(port or 9092)), timeout=1).close()
        except (OSError, ValueError) as error:
            failure = error if isinstance(error, OSError) else OSError(f"{server} is no host:port")
        else:
            return
    raise Unavailable("kafka", f"{bootstrap_servers}: {failure}")
