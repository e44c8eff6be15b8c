"""A bar of a terminal's chart, to an eighth of a letter."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL = "█"


def bar(parts: Sequence[tuple[float, str]], most: float, width: int) -> Text:
    """Parts of a sum, each a value and a style, one after the other; `width` letters are `most`.

    What is not nothing is seen: a bar has an eighth of a letter at the least.
    """
    drawn, total, done = Text(), 0.0, 0
    last = max((at for at, (value, _) in enumerate(parts) if value > 0), default=-1)
    for at, (value, style) in enumerate(parts[: last + 1]):
        total += value
        eighths = max(1, round(total / most * width * 8))
        # Only a bar's end is finer than a letter: a letter has one colour.
        until = eighths // 8 if at == last else round(eighths / 8)
        drawn.append(_FULL * max(0, until - done), style)
        done = max(done, until)
        if at == last and (rest := eighths - done * 8) > 0:
            drawn.append(_EIGHTHS[rest], style)
    return drawn
