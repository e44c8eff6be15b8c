"""Numbers as the page writes them for people, worked out a second time."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal


def count(number: float) -> str:
    """Less than a million."""
    return _rounded(number, "1")


def rate(number: float) -> str:
    """So many a second."""
    return "< 0.01" if 0 < number < 0.01 else "0" if not number else _digits(number)


def percent(share: float) -> str:
    """A share of one."""
    hundred = share * 100
    if hundred == 0 or hundred >= 99.95:
        return f"{count(hundred)} %"
    return f"{_rounded(hundred, '0.01' if hundred < 1 else '0.1')} %"


def latency(milliseconds: float | None) -> str:
    """Less than a minute; a dash where there is none."""
    if milliseconds is None:
        return "\u2013"
    if milliseconds >= 1000:
        return f"{_digits(milliseconds / 1000)} s"
    return f"{_rounded(milliseconds, '0.1' if milliseconds < 10 and milliseconds % 1 else '1')} ms"


def _digits(number: float) -> str:
    return _rounded(number, "1" if number >= 100 else "0.1" if number >= 10 else "0.01")


def _rounded(number: float, last: str) -> str:
    """As browsers do: a half, as it is written, goes up."""
    return f"{Decimal(str(number)).quantize(Decimal(last), ROUND_HALF_UP):,}"
