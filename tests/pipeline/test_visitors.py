"""Unique visitors: sketches that merge like sets, and estimate within what they say."""

from __future__ import annotations

import ipaddress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import visitors

addresses = st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str), max_size=30)


def numbered(count: int, first: int = 0) -> list[str]:
    """So many neighbouring IPv4 addresses: the least random there are."""
    return [str(ipaddress.IPv4Address(first + n)) for n in range(count)]


def naive_hash(address: str) -> int:
    """splitmix64 over both halves of the packed address, in Python's integers."""

    def mixed(value: int) -> int:
        value = (value + 0x9E3779B97F4A7C15) % 2**64
        value = (value ^ value >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        value = (value ^ value >> 27) * 0x94D049BB133111EB % 2**64
        return value ^ value >> 31

    high, low = divmod(int(ipaddress.ip_address(address)), 2**64)
    return mixed(mixed(high) ^ low)


@settings(deadline=None)
@given(addresses, addresses, addresses)
def test_merging_is_the_union_of_sets(one: list[str], two: list[str], three: list[str]) -> None:
    a, b, c = map(visitors.sketch, (one, two, three))
    assert visitors.merge([a, b]) == visitors.merge([b, a]) == visitors.sketch(one + two)
    assert visitors.merge([visitors.merge([a, b]), c]) == visitors.merge([a, visitors.merge([b, c])])
    assert visitors.merge([a, a]) == a == visitors.merge([a, visitors.EMPTY])


@pytest.mark.parametrize("count", [0, 1, 2, 10, 100, 1_000, 5_000, 20_000, 100_000])
def test_an_estimate_is_within_three_standard_errors(count: int) -> None:
    estimated = visitors.estimate(visitors.sketch(numbered(count, first=167_772_160)))
    assert abs(estimated - count) <= max(3 * visitors.STANDARD_ERROR * count, 0.5 if count < 100 else 3)


def test_the_standard_error_is_what_is_said() -> None:
    count = 30_000
    errors = [visitors.estimate(visitors.sketch(numbered(count, first=n << 20))) / count - 1 for n in range(12)]
    assert np.std(errors) < 2 * visitors.STANDARD_ERROR
    assert abs(np.mean(errors)) < visitors.STANDARD_ERROR


@pytest.mark.parametrize("count", [5_000, 6_500, 7_000, 9_000])
def test_few_and_many_registers_say_the_same_around_the_change_of_form(count: int) -> None:
    found = numbered(count)
    whole = visitors.sketch(found)
    halves = visitors.merge([visitors.sketch(found[: count // 2]), visitors.sketch(found[count // 2 :])])
    assert whole == halves
    assert len(whole) <= 1 << visitors.PRECISION
    assert abs(visitors.estimate(whole) - count) <= 3 * visitors.STANDARD_ERROR * count


def test_a_sketch_is_small_while_it_has_seen_little() -> None:
    assert visitors.sketch([]) == visitors.EMPTY
    assert len(visitors.sketch(["10.0.0.1"])) == 3
    assert len(visitors.sketch(numbered(100_000))) == 1 << visitors.PRECISION


@given(st.lists(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)), unique=True, min_size=2, max_size=20))
def test_different_addresses_have_different_hashes(found: list[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> None:
    written = [str(address) for address in found if int(address) >= 2**32 or address.version == 4]
    assert len(set(visitors.hashes(written).tolist())) == len(written)


def test_the_hash_of_a_stored_sketch_never_changes() -> None:
    written = ["184.116.4.244", "2001:db8::1", "::ffff:10.0.0.1"]
    assert visitors.hashes(written).tolist() == [naive_hash(one) for one in written]
    assert naive_hash("184.116.4.244") == 12027677008974545676


def test_an_address_repeated_counts_once() -> None:
    assert visitors.estimate(visitors.sketch(["10.0.0.1", "2001:db8::1"] * 500)) == 2
