"""Sets of addresses, against sets of numbers."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from pipeline.selection import Network
from webapi import networks

FAMILIES = st.sampled_from([4, 16])
NETWORKS = st.lists(
    st.builds(
        lambda size, one, other: Network(min(one, other).to_bytes(size), max(one, other).to_bytes(size)),
        FAMILIES,
        st.integers(0, 40),
        st.integers(0, 40),
    ),
    max_size=5,
)


def addresses(every: Iterable[Network]) -> set[bytes]:
    """Each address on its own."""
    return {
        number.to_bytes(len(one.first))
        for one in every
        for number in range(int.from_bytes(one.first), int.from_bytes(one.last) + 1)
    }


@given(NETWORKS, NETWORKS)
def test_they_are_sets(some: list[Network], others: list[Network]) -> None:
    assert addresses(networks.union([*some, *others])) == addresses(some) | addresses(others)
    assert addresses(networks.intersection(some, others)) == addresses(some) & addresses(others)
    assert addresses(networks.difference(some, others)) == addresses(some) - addresses(others)


@given(NETWORKS, NETWORKS)
def test_no_address_comes_out_twice(some: list[Network], others: list[Network]) -> None:
    for found in (networks.union(some), networks.intersection(some, others), networks.difference(some, others)):
        assert list(found) == sorted(found, key=lambda one: (len(one.first), one.first))
        assert sum(len(addresses([one])) for one in found) == len(addresses(found))


def test_a_network_is_around_each_of_its_addresses() -> None:
    packed = socket.inet_pton(socket.AF_INET, "10.1.2.3")
    assert networks.around(packed, 8) == Network(bytes([10, 0, 0, 0]), bytes([10, 255, 255, 255]))
    assert networks.around(packed, 32) == Network(packed, packed)
    assert networks.around(packed, 0) == Network(bytes(4), b"\xff" * 4)
    assert networks.around(bytes(16), 127) == Network(bytes(16), bytes(15) + b"\x01")
