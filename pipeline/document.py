"""A body as a JSON document: an array of strings, or what is wrong with it and where."""

from __future__ import annotations

import json
import re
from typing import Final

import msgspec

from pipeline.errors import DocumentFault

# A larger body is not taken apart for the words that refuse it.
BUILT_BYTES: Final = 64 * 1024

_lines = msgspec.json.Decoder(list[str])
_ARRAY = re.compile(rb"[ \t\r\n]*\[")
_ELEMENT = re.compile(r"Expected `str`, got `(\w+)` - at `\$\[(\d+)\]`")
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode(body: bytes) -> list[str]:
    """The array's elements. Raises DocumentFault, which says the byte or the element that is wrong."""
    try:
        return _lines.decode(body)
    except msgspec.ValidationError as error:
        raise DocumentFault(_not_strings(body, str(error))) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentFault(_malformed(body, str(error))) from None


def at_least(body: bytes) -> int:
    """A number of elements that a body has at the least, if it is an array of strings; 0 of what is none. Cheap."""
    if not _ARRAY.match(body):
        return 0
    # Not every escaped quotation mark closes a string, but every other one opens or closes one.
    return (body.count(b'"') - body.count(b'\\"')) // 2


def _not_strings(body: bytes, said: str) -> str:
    # An element that is no string, before an end that is missing: the latter is to be mended first.
    if "$[" in said and (broken := _broken(body)):
        return broken
    if match := _ELEMENT.match(said):
        return f"element {match[2]} must be a string, and is of type {match[1]}"
    if match := re.search(r"\$\[(\d+)\]", said):
        return f"element {match[1]} must be a string"
    return "the body must be an array of strings" + said.removeprefix("Expected `array`").replace("`", "")


def _malformed(body: bytes, said: str) -> str:
    """What msgspec stumbled over, in words of ours: its own give no place, or a wrong cause, for some faults.

    They take the whole document, and one of some kilobytes before it was compressed may become millions of objects: of
    what is large, msgspec's own have to do.
    """
    if not body:
        return "the body is empty; an array of strings is expected"
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        return f"byte {error.start} is not UTF-8: {error.reason}"
    if text.startswith("\ufeff"):
        return "byte 0: the body must not start with a byte order mark"
    if len(body) > BUILT_BYTES:
        return said if "byte" in said else "not JSON: it ends too early, or has half of a surrogate pair in it"
    try:
        elements = json.loads(text)
    except json.JSONDecodeError as error:
        return _syntax(text, error)
    except (ValueError, RecursionError):
        return said
    at = next((i for i, e in enumerate(elements) if isinstance(e, str) and _SURROGATE.search(e)), None)
    return said if at is None else f"element {at} has half of a surrogate pair in it"


def _broken(body: bytes) -> str | None:
    """What of a body is no JSON; None where nothing is, or where that would cost too much to tell."""
    if len(body) > BUILT_BYTES:
        return None
    try:
        text = body.decode()
        json.loads(text)
    except json.JSONDecodeError as error:
        return _syntax(text, error)
    except (ValueError, RecursionError):
        pass
    return None


def _syntax(text: str, error: json.JSONDecodeError) -> str:
    return f"byte {len(text[: error.pos].encode())}: not JSON: {error.msg}"
