"""Ports that are free."""

from __future__ import annotations

import socket

from cli import ports


def test_no_port_is_given_twice_while_nobody_listens_on_it_yet() -> None:
    given = [port for _ in range(300) for port in ports.free(2)]
    assert len(set(given)) == 600


def test_a_port_is_given_only_where_nobody_listens() -> None:
    (port,) = ports.free(1)
    with socket.create_server(("127.0.0.1", port)):
        assert ports.is_taken(port)
    assert not ports.is_taken(port)
