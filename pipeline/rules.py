"""The rules by which a segment of a path becomes `{name}` (`pipeline.routes` says which). Pure."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from pipeline.patterns import shown

MAX_SEGMENTS, _MAX_SEGMENT, _MAX_EXTENSION = 10, 48, 6
REST: Final = "{rest}"


class Rule(NamedTuple):
    """What becomes `{name}`: a segment that is all `whole`, or `stem` and an extension, with `inside` somewhere in it.

    The patterns are in the dialect that Python and Rust have in common, and match no slash. `words` are for a person.
    """

    name: str
    words: str
    whole: str
    stem: str
    inside: str = ""


def _rule(name: str, words: str, pattern: str, inside: str = "") -> Rule:
    return Rule(name, words, pattern, pattern, inside)


HEX: Final = "[0-9A-Fa-f]"
_LONG = _MAX_SEGMENT + 1

RULES: Final = (
    # A domain that starts with one digit is a picture's scale or a package's version more often than a domain.
    _rule("email", "an e-mail address", r"[^/@]+(?:@|%40)(?:[A-Za-z]|[0-9]{2})[A-Za-z0-9.-]*\.[A-Za-z]{2,}"),
    _rule("id", "a number", "-?[0-9]+"),
    _rule("uuid", "a UUID", f"{HEX}{{8}}(?:-{HEX}{{4}}){{3}}-{HEX}{{12}}"),
    _rule(
        "date",
        "a date",
        "[12][0-9]{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
        r"(?:T[0-9](?:[0-9:+-]|\.[0-9]|%3[Aa]|%2[Bb])*Z?)?",
    ),
    _rule("hex", "8 or more hexadecimal digits", f"{HEX}{{8,}}"),
    _rule("token", "20 or more characters, mixed", "[A-Za-z0-9_~=-]{20,}", inside="[A-Za-z][0-9]|[0-9][A-Za-z]"),
    # What is too long without its extension is so with it, and the other way round.
    Rule("token", f"longer than {_MAX_SEGMENT}", f"[^/]{{{_LONG},}}", f"[^/]{{{_LONG - _MAX_EXTENSION},}}"),
)
_OVERLONG = RULES[-1]

# What may stay before what a rule takes, and after it; each a group.
NAME, EXTENSION = r"((?:[^/.@0-9]{1,24}\.)?)", r"(\.[A-Za-z][A-Za-z0-9]{0,4})"


def templated(text: str) -> tuple[str, str]:
    """What becomes of one segment, and why; no reason where it stays."""
    for rule in RULES[:-1]:
        if re.fullmatch(rule.whole, text) and re.search(rule.inside, text):
            return _because(rule, text)
    for rule in RULES:
        parts = re.fullmatch(f"{NAME}({rule.stem}){EXTENSION}", text)
        if parts and re.search(rule.inside, parts[2]):
            return _because(rule, parts[2], parts[1], parts[3])
    return _because(_OVERLONG, text) if re.fullmatch(_OVERLONG.whole, text) else (text, "")


def _because(rule: Rule, text: str, before: str = "", after: str = "") -> tuple[str, str]:
    return f"{before}{{{rule.name}}}{after}", f"{{{rule.name}}}: {shown(text)} is {rule.words}"
