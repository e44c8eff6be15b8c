"""A sweep as a picture: drained rate and visibility against offered load, in SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

from cli.bench.trial import Trial

_WIDTH, _HEIGHT = 800, 440
# The plot's own area.
_LEFT, _RIGHT, _TOP, _BOTTOM = 80, 720, 70, 390
_INK, _PALE = "#222", "#bbb"


class _Curve(NamedTuple):
    """Something that is drawn: what it is, and its stroke."""

    caption: str
    colour: str
    dashes: str


_DRAINED: Final = _Curve("drained, lines/s (left)", "#1b6ca8", "none")
_P50: Final = _Curve("visible after the 202, p50 (right)", "#c8651b", "8 3")
_P99: Final = _Curve("p99 (right)", "#8a1c4f", "2 3")


class _Axes(NamedTuple):
    """Lines/s from 0 to `most` across and up; milliseconds up from 10 to `slowest`, logarithmic."""

    most: float
    slowest: float

    def across(self, rate: float) -> float:
        return _LEFT + rate / self.most * (_RIGHT - _LEFT)

    def up(self, rate: float) -> float:
        return _BOTTOM - rate / self.most * (_BOTTOM - _TOP)

    def late(self, milliseconds: float) -> float:
        share = math.log10(max(milliseconds, 10.0) / 10) / math.log10(self.slowest / 10)
        return _BOTTOM - share * (_BOTTOM - _TOP)


def plot(sweep: Sequence[Trial], title: str) -> str:
    """The SVG of a sweep, the least load first; a pale line is where as much is drained as offered."""
    seen = [(one.offered, one.visible) for one in sweep if one.visible]
    slowest = max((visible.p99 for _, visible in seen), default=1.0)
    most = max(rate for one in sweep for rate in (one.offered, one.drained)) * 1.05
    axes = _Axes(most, slowest=10.0 ** max(2, math.ceil(math.log10(max(slowest, 1.0)))))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif"'
        ' font-size="12">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(_WIDTH / 2, 20, title, "middle"),
        *_scales(axes),
        *_legend(),
        _line(_DRAINED, [(axes.across(one.offered), axes.up(one.drained)) for one in sweep]),
        _line(_P50, [(axes.across(offered), axes.late(visible.p50)) for offered, visible in seen]),
        _line(_P99, [(axes.across(offered), axes.late(visible.p99)) for offered, visible in seen]),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _scales(axes: _Axes) -> Iterator[str]:
    yield f'<path d="M{_LEFT} {_TOP}V{_BOTTOM}H{_RIGHT}V{_TOP}" fill="none" stroke="{_INK}"/>'
    yield f'<path d="M{_LEFT} {_BOTTOM}L{_RIGHT} {_TOP}" stroke="{_PALE}"/>'
    yield _text((_LEFT + _RIGHT) / 2, _BOTTOM + 40, "offered, lines/s", "middle")
    for rate in _ticks(axes.most):
        yield _text(axes.across(rate), _BOTTOM + 18, f"{rate:,.0f}", "middle")
        yield _text(_LEFT - 8, axes.up(rate) + 4, f"{rate:,.0f}", "end")
    for decade in range(1, round(math.log10(axes.slowest)) + 1):
        yield _text(_RIGHT + 8, axes.late(10.0**decade) + 4, f"{10**decade:,} ms", "start")


def _legend() -> Iterator[str]:
    for number, curve in enumerate((_DRAINED, _P50, _P99)):
        x = _LEFT + 16 + number * 240
        yield _line(curve, [(x, _TOP - 24), (x + 30, _TOP - 24)])
        yield _text(x + 40, _TOP - 20, curve.caption, "start")


def _ticks(most: float) -> list[float]:
    """Round numbers from 0 on, five to ten of them."""
    decade = 10.0 ** math.floor(math.log10(most))
    step = next(step for step in (decade, decade / 2, decade / 5) if most / step >= 4)
    return [step * number for number in range(math.floor(most / step) + 1)]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{_INK}">{escape(text)}</text>'


def _line(curve: _Curve, points: Sequence[tuple[float, float]]) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{curve.colour}"/>' for x, y in points)
    stroke = f'stroke="{curve.colour}" stroke-width="2" stroke-dasharray="{curve.dashes}"'
    return f'<polyline points="{path}" fill="none" {stroke}/>{dots}'
