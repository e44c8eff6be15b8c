"""A TCP proxy that does to a connection what networks do: it slows, it freezes, it cuts, and it loses one reply."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

CHUNK = 65_536
Matches = Callable[[bytes], bool]


class Proxy:
    """Listens on a port of this machine and passes on to another, until it is told something else."""

    def __init__(self, upstream: int, port: int = 0) -> None:
        """`upstream` is a port of this machine. Listens at once, on `port`, or on any where that is 0."""
        self._upstream = upstream
        self._listening = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listening.getsockname()[1])
        self.swallowed = 0
        # Seconds that whatever passes is kept.
        self.delay = 0.0
        self._flowing = threading.Event()
        self._flowing.set()
        self._lock = threading.Lock()
        self._open: set[_Pair] = set()
        self._matches: Matches | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def swallow(self, matches: Matches) -> None:
        """Loses the reply to the next request that matches, once the server has done it, and cuts."""
        with self._lock:
            self._matches = matches

    def freeze(self) -> None:
        """A black hole: connections stay, and are made, and nothing passes."""
        self._flowing.clear()

    def thaw(self) -> None:
        """Whatever waited passes."""
        self._flowing.set()

    def cut(self) -> None:
        """Ends every connection."""
        with self._lock:
            pairs = list(self._open)
        for pair in pairs:
            pair.close()

    def close(self) -> None:
        """Ends everything."""
        # Whoever waits in `accept` keeps the port until woken.
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.thaw()
        self.cut()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                try:
                    server = socket.create_connection(("127.0.0.1", self._upstream))
                except OSError:
                    client.close()
                    continue
                pair = _Pair(client, server)
                with self._lock:
                    self._open.add(pair)
                ways = ((pair.client, partial(self._ask, pair)), (pair.server, partial(self._answer, pair)))
                for source, pass_on in ways:
                    threading.Thread(target=self._pump, args=(pair, source, pass_on), daemon=True).start()

    def _pump(self, pair: _Pair, source: socket.socket, pass_on: Callable[[bytes], bool]) -> None:
        # Whoever ends first, or is cut, ends both.
        with contextlib.suppress(OSError):
            while chunk := source.recv(CHUNK):
                self._flowing.wait()
                time.sleep(self.delay)
                if not pass_on(chunk):
                    break
        pair.close()
        with self._lock:
            self._open.discard(pair)

    def _ask(self, pair: _Pair, chunk: bytes) -> bool:
        with self._lock:
            if self._matches is not None and self._matches(chunk):
                pair.doomed, self._matches = True, None
        pair.server.sendall(chunk)
        return True

    def _answer(self, pair: _Pair, chunk: bytes) -> bool:
        if pair.doomed:
            self.swallowed += 1
            return False
        pair.client.sendall(chunk)
        return True


class _Pair:
    """A client's connection and the one that was made for it; `doomed` when its next reply is to be lost."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client = client
        self.server = server
        self.doomed = False

    def close(self) -> None:
        for one in (self.client, self.server):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextlib.contextmanager
def proxied(upstream: int, port: int = 0) -> Iterator[Proxy]:
    """A proxy, closed at the end."""
    proxy = Proxy(upstream, port)
    try:
        yield proxy
    finally:
        proxy.close()
