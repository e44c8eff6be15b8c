"""The slow form against the contract, edge by edge."""

# ruff: noqa: DTZ001, RUF001  (a line's time is naive UTC; digits of other scripts are the point)

from __future__ import annotations

import ipaddress
from datetime import datetime

import pytest
from hypothesis import given, settings

from pipeline.errors import LineFault
from pipeline.grammar import MAX_LATENCY_MS, REASONS, Line, parse
from tests.pipeline.lines import any_lines, valid_lines

TIME, IP, METHOD, PATH, STATUS, LATENCY = ORDINARY = (
    "2025-06-10T10:41:40Z", "184.116.4.244", "POST", "/products", "500", "971ms",
)  # fmt: skip


def line(
    time: str = TIME, ip: str = IP, method: str = METHOD, path: str = PATH, status: str = STATUS, latency: str = LATENCY
) -> str:
    return f"{time} {ip} {method} {path} {status} {latency}"


def refused(text: str) -> str:
    with pytest.raises(LineFault) as caught:
        parse(text)
    assert caught.value.detail.isascii()
    assert len(caught.value.detail) < 1000
    return caught.value.reason


def test_a_line_is_six_fields() -> None:
    assert parse("2025-06-10T10:41:40Z 184.116.4.244 POST /products 500 971ms") == Line(
        timestamp=datetime(2025, 6, 10, 10, 41, 40),
        ip="184.116.4.244",
        method="POST",
        path="/products",
        status=500,
        latency_ms=971,
    )


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1)),
        ("2099-12-31T23:59:59.999999Z", datetime(2099, 12, 31, 23, 59, 59, 999999)),
        ("1969-12-31T23:30:00-00:30", datetime(1970, 1, 1)),
        ("2100-01-01T00:30:00+01:00", datetime(2099, 12, 31, 23, 30)),
        ("2025-06-10T10:41:40.5Z", datetime(2025, 6, 10, 10, 41, 40, 500000)),
        ("2025-06-10T10:41:40.000001Z", datetime(2025, 6, 10, 10, 41, 40, 1)),
        ("2025-06-10T10:41:40+02:00", datetime(2025, 6, 10, 8, 41, 40)),
        ("2025-06-10T10:41:40-23:59", datetime(2025, 6, 11, 10, 40, 40)),
        ("2025-06-10T10:41:40-00:00", datetime(2025, 6, 10, 10, 41, 40)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29)),
        ("2000-02-29T00:00:00Z", datetime(2000, 2, 29)),
    ],
)
def test_a_time_is_kept_in_utc(text: str, moment: datetime) -> None:
    assert parse(line(time=text)).timestamp == moment
    assert parse(line(time=text)).timestamp.tzinfo is None


@pytest.mark.parametrize(
    "text",
    [
        "1969-12-31T23:59:59Z", "1970-01-01T00:30:00+01:00", "2100-01-01T00:00:00Z", "2099-12-31T23:30:00-01:00",
        "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
        "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2025-04-31T00:00:00Z",
        "2025-00-10T00:00:00Z", "2025-13-10T00:00:00Z",
        "2025-06-00T00:00:00Z", "2025-06-10T24:00:00Z", "2025-06-10T23:60:00Z", "2025-06-10T23:59:60Z",
        "2025-06-10T10:41:40.Z", "2025-06-10T10:41:40.1234567Z", "2025-06-10T10:41:40,5Z",
        "2025-06-10t10:41:40Z", "2025-06-10T10:41:40z", "2025-06-10T10:41:40", "2025-06-10T10:41Z",
        "2025-06-10T10:41:40+24:00", "2025-06-10T10:41:40+02:60", "2025-06-10T10:41:40+0200",
        "2025-06-10T10:41:40+2:00",
        "20250610T104140Z", "2025-6-10T10:41:40Z", "٢٠٢٥-06-10T10:41:40Z", "2025-06-10T10:41:40Z\n", "",
    ],
)  # fmt: skip
def test_a_time_that_is_none_is_refused(text: str) -> None:
    assert refused(line(time=text)) == "time"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("2001:0db8::0001", "2001:db8::1"),
        ("::", "::"),
        ("::1", "::1"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
    ],
)
def test_an_address_is_kept_as_inet_ntop_writes_it(text: str, stored: str) -> None:
    assert parse(line(ip=text)).ip == stored


@pytest.mark.parametrize(
    "text",
    [
        "256.1.1.1", "1.1.1.01", "00.1.1.1", "1.1.1", "1.1.1.1.1", "1.1.1.1\n", "0x1.1.1.1", "1.1.1.", "١.1.1.1", "",
        "fe80::1%eth0", "1::2::3", ":::", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::1", "[::1]",
        "::1.2.3.04",
        "::1.2.3.256", "1.2.3.4::", "::１", "::1\0",
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(text: str) -> None:
    assert refused(line(ip=text)) == "address"


@pytest.mark.parametrize("text", ["", "get", "GETGETGETGE", "GET1", "G-T", "GÉT", "GET\n"])
def test_a_method_is_one_to_ten_capitals(text: str) -> None:
    assert parse(line(method="G")).method == "G"
    assert parse(line(method="GETGETGETG")).method == "GETGETGETG"
    assert refused(line(method=text)) == "method"


@pytest.mark.parametrize(
    "text", ["/", "/é", "/😀", '/a"\\b', "/\u2028\u3000\xa0", "/" + "x" * 2047, "/" + "😀" * 2047, "//", "/%00"]
)
def test_a_path_may_hold_any_text_without_spaces_and_controls(text: str) -> None:
    assert parse(line(path=text)).path == text


@pytest.mark.parametrize(
    "text", ["", "products", "/\0", "/\n", "/\t", "/\x1f", "/\x7f", "/\x80", "/\x85", "/\x9f", "/" + "x" * 2048]
)
def test_a_path_with_a_control_or_too_long_is_refused(text: str) -> None:
    assert refused(line(path=text)) == "path"


@pytest.mark.parametrize("text", ["99", "600", "000", "0200", "20", "2000", "２００", "+200", "200\n", ""])
def test_a_status_is_from_100_to_599(text: str) -> None:
    assert [parse(line(status=s)).status for s in ("100", "599")] == [100, 599]
    assert refused(line(status=text)) == "status"


@pytest.mark.parametrize(
    "text",
    [
        "971", "ms", "0971ms", "00ms", "-1ms", "+1ms", "1.5ms", "971Ms", "971ms\n", "1_0ms", "٣ms", "971s", "",
        f"{MAX_LATENCY_MS + 1}ms", "99999999999ms",
    ],
)  # fmt: skip
def test_a_latency_is_whole_milliseconds_of_31_bits(text: str) -> None:
    assert [parse(line(latency=s)).latency_ms for s in ("0ms", f"{MAX_LATENCY_MS}ms")] == [0, MAX_LATENCY_MS]
    assert refused(line(latency=text)) == "latency"


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "hello",
        f" {line()}",
        f"{line()} ",
        line().replace(" ", "  "),
        line().replace(" ", "\t"),
        line(path="/a b"),
        " " * 5_000_000,
    ],
)
def test_a_line_with_other_than_six_fields_is_refused(text: str) -> None:
    assert refused(text) == "fields"


@pytest.mark.parametrize("text", [line(path="/\ud800"), "\udfff", line(path="/\udbff\udc00")])
def test_half_a_surrogate_pair_is_not_text(text: str) -> None:
    assert refused(text) == "not_text"


def test_what_was_found_is_said_escaped_and_cut() -> None:
    with pytest.raises(LineFault) as caught:
        parse(line(path="\x1b[31m" + "😀" * 2000))
    assert caught.value.detail == (
        "expected a path that starts with / and has no control characters, found "
        + ascii(("\x1b[31m" + "😀" * 2000)[:60])
        + "..."
    )


@settings(deadline=None)
@given(valid_lines)
def test_valid_lines_are_taken_and_canonical(text: str) -> None:
    fields = parse(text)
    assert fields.ip == parse(line(ip=fields.ip)).ip
    assert ipaddress.ip_address(fields.ip) == ipaddress.ip_address(text.split(" ")[1])
    assert [fields.method, fields.path] == text.split(" ")[2:4]


@settings(deadline=None)
@given(any_lines)
def test_any_text_is_taken_or_refused_for_one_of_the_reasons(text: str) -> None:
    try:
        parse(text)
    except LineFault as fault:
        assert fault.reason in REASONS
        assert fault.detail.isascii()
