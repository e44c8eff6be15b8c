"""Sets of addresses as ranges: united, intersected, subtracted. Pure.

What comes out is sorted, and its ranges do not overlap.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.selection import Network

Networks = tuple[Network, ...]


def around(packed: bytes, length: int) -> Network:
    """The network of `length` bits in which an address is, packed in network order."""
    bits = len(packed) * 8
    rest = (1 << (bits - length)) - 1
    number = int.from_bytes(packed)
    return Network((number & ~rest).to_bytes(len(packed)), (number | rest).to_bytes(len(packed)))


def union(every: Iterable[Network]) -> Networks:
    """The addresses that are in any of them."""
    found: list[Network] = []
    for one in sorted(every, key=_order):
        if found and len(found[-1].last) == len(one.first) and one.first <= found[-1].last:
            found[-1] = Network(found[-1].first, max(found[-1].last, one.last))
        else:
            found.append(one)
    return tuple(found)


def intersection(some: Sequence[Network], others: Sequence[Network]) -> Networks:
    """The addresses that are in one of `some` and in one of `others`."""
    met = (
        Network(max(one.first, other.first), min(one.last, other.last))
        for one in some
        for other in others
        if len(one.first) == len(other.first)
    )
    return union(one for one in met if one.first <= one.last)


def difference(some: Sequence[Network], without: Sequence[Network]) -> Networks:
    """The addresses that are in one of `some` and in none of `without`."""
    left = union(some)
    for hole in union(without):
        left = tuple(piece for one in left for piece in _pieces(one, hole))
    return left


def _order(network: Network) -> tuple[int, bytes, bytes]:
    return len(network.first), network.first, network.last


def _pieces(one: Network, hole: Network) -> Iterable[Network]:
    size = len(one.first)
    if size != len(hole.first) or hole.last < one.first or one.last < hole.first:
        yield one
        return
    if one.first < hole.first:
        yield Network(one.first, (int.from_bytes(hole.first) - 1).to_bytes(size))
    if hole.last < one.last:
        yield Network((int.from_bytes(hole.last) + 1).to_bytes(size), one.last)
