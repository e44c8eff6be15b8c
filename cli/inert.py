"""Text of strangers as a terminal may have it: nothing in it moves a cursor, turns a line round or hides."""

from __future__ import annotations


def inert(text: str) -> str:
    r"""Whatever does not print (control and format characters, also those that write from right to left, and spaces
    that only look like one) as JSON escapes it: `\u202e`. In JSON text that changes no value.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
