"""How many different addresses: a HyperLogLog that is kept as a blob and merged with others of its kind.

Flajolet et al. 2007 with the estimator of Ertl 2017 (arXiv:1702.01284, algorithm 6), which is accurate over the whole
range without a table. 2¹⁴ registers: a standard error of 0.81 %. The hash is splitmix64 over the packed address, so
that a stored sketch means the same in every version.
"""

from __future__ import annotations

import math
import socket
from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Registers = npt.NDArray[np.uint8]

PRECISION: Final = 14
STANDARD_ERROR: Final = 0.0081
_REGISTERS: Final = 1 << PRECISION
_RANKED_BITS: Final = 64 - PRECISION
_OTHER: Final = _RANKED_BITS + 1  # the rank of a hash whose ranked bits are all zero

# A sketch is its registers, or while few are set the index (uint16) and rank (uint8) of each: three bytes a register.
_SPARSE = np.dtype([("index", "<u2"), ("rank", "u1")])
EMPTY: Final = b""


def hashes(addresses: Iterable[str]) -> Hashes:
    """A 64-bit hash of each address, given as `inet_ntop` writes it; shape (n,)."""
    packed = np.frombuffer(b"".join(map(_packed, addresses)), dtype=">u8").astype(np.uint64)
    return _splitmix64(_splitmix64(packed[::2]) ^ packed[1::2])


def ranks(hashed: Hashes) -> tuple[npt.NDArray[np.uint16], Registers]:
    """The register that each hash falls into, and its rank there; both of shape (n,)."""
    index = (hashed >> np.uint64(_RANKED_BITS)).astype(np.uint16)
    rest = hashed & np.uint64((1 << _RANKED_BITS) - 1)
    # Below 2⁵³ a float holds an integer exactly, and its exponent is the bit length.
    bits = np.frexp(rest.astype(np.float64))[1]
    return index, (_OTHER - bits).astype(np.uint8)


def from_ranks(index: npt.NDArray[np.uint16], rank: Registers) -> bytes:
    """The sketch in which register `index[i]` is at least `rank[i]`."""
    registers = np.zeros(_REGISTERS, dtype=np.uint8)
    np.maximum.at(registers, index, rank)
    return _pack(registers)


def sketch(addresses: Iterable[str]) -> bytes:
    """The sketch of a set of addresses, given as `hashes` takes them."""
    return from_ranks(*ranks(hashes(addresses)))


def merge(sketches: Iterable[bytes]) -> bytes:
    """The sketch of the union: associative, commutative, idempotent."""
    registers = np.zeros(_REGISTERS, dtype=np.uint8)
    for one in sketches:
        _merge_into(registers, one)
    return _pack(registers)


def estimate(one: bytes) -> int:
    """How many different addresses a sketch has seen, to a standard error of 0.81 %."""
    registers = np.zeros(_REGISTERS, dtype=np.uint8)
    _merge_into(registers, one)
    counts = np.bincount(registers, minlength=_OTHER + 1).tolist()
    total = _REGISTERS * _tau(1 - counts[_OTHER] / _REGISTERS)
    for rank in range(_RANKED_BITS, 0, -1):
        total = 0.5 * (total + counts[rank])
    total += _REGISTERS * _sigma(counts[0] / _REGISTERS)
    return round(_REGISTERS * _REGISTERS / (2 * math.log(2) * total)) if math.isfinite(total) else 0


def _merge_into(registers: Registers, one: bytes) -> None:
    if len(one) == _REGISTERS:
        np.maximum(registers, np.frombuffer(one, dtype=np.uint8), out=registers)
        return
    entries = np.frombuffer(one, dtype=_SPARSE)
    registers[entries["index"]] = np.maximum(registers[entries["index"]], entries["rank"])


def _pack(registers: Registers) -> bytes:
    (index,) = np.nonzero(registers)
    if len(index) * _SPARSE.itemsize >= _REGISTERS:
        return registers.tobytes()
    entries = np.empty(len(index), dtype=_SPARSE)
    entries["index"], entries["rank"] = index, registers[index]
    return entries.tobytes()


def _packed(address: str) -> bytes:
    """16 bytes; an IPv4 address is the last four of them."""
    if ":" in address:
        return socket.inet_pton(socket.AF_INET6, address)
    return bytes(12) + socket.inet_pton(socket.AF_INET, address)


def _splitmix64(value: Hashes) -> Hashes:
    """Steele, Lea and Flood 2014: the finaliser of their generator, one step past `value`."""
    mixed = value + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _sigma(x: float) -> float:
    if x == 1.0:
        return math.inf
    y, z, before = 1.0, x, -1.0
    while z != before:
        x *= x
        before = z
        z += x * y
        y += y
    return z


def _tau(x: float) -> float:
    if x in (0.0, 1.0):
        return 0.0
    y, z, before = 1.0, 1 - x, -1.0
    while z != before:
        x = math.sqrt(x)
        before = z
        y *= 0.5
        z -= (1 - x) ** 2 * y
    return z / 3
