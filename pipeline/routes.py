"""A path as its route template: what paths are counted by, so that `/users/41` and `/users/42` are one route. Pure.

The query string and the fragment go. Then ROUTES decides, the first pattern that fits; else each segment is looked at
on its own, and by the first of `pipeline.rules` that it matches as a whole it becomes

    {email}  text, `@` or `%40`, a dotted domain; not `logo@2x.png`, not `vue@2.6.14`
    {id}     a number, also a negative one
    {uuid}   with hyphens, in any case
    {date}   YYYY-MM-DD, also with `T` and a time
    {hex}    8 or more hexadecimal digits
    {token}  20 or more of `A-Za-z0-9_~=-`, a letter next to a digit among them: what is random has that, and
             `ten-things-to-do-in-2025` has not
    {token}  whatever is longer than 48 characters, or than 42 before an extension

What matches none as a whole may do so without its extension (a dot, a letter, at most four more letters or digits),
which stays: `42.json` is `{id}.json`. So does a name of up to 24 characters without digits and dots before it, as
bundlers write it: `app.4f3a9c1b.js` is `app.{hex}.js`. Case, a slash at the end and repeated slashes stay as well:
they may be routes of their own, and are often the very thing to be seen. The eleventh segment and all that follow are
`{rest}`; empty ones count. Nothing is decoded.

This is the form that says why; `tasks.templates` is the one for columns, and tests hold them equal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

from pipeline.patterns import Pattern, parsed, shown
from pipeline.rules import MAX_SEGMENTS, REST, templated

OTHER: Final = "other"
"""What a route over the cap is counted as; no template is this, since each starts with a slash."""

OTHER_ID: Final = 0
"""Its id wherever routes have ids; no row of `route` has it."""


class Explained(NamedTuple):
    """A path's template and, for a person, how it came to it."""

    template: str
    rule: str


@dataclass(frozen=True)
class Routes:
    """The patterns of ROUTES in their order, and after them the rules."""

    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, patterns: str | None) -> Routes:
        """The routes of a ROUTES setting. Raises ConfigurationError, as `pipeline.patterns.parsed`."""
        return cls(parsed(patterns))

    def template(self, path: str) -> Explained:
        """The template of one path, and why."""
        bare = re.split("[?#]", path, maxsplit=1)[0]
        dropped = [f"{shown(path[len(bare) :])} dropped"] if bare != path else []
        segments = bare[1:].split("/")
        for pattern in self.patterns:
            if pattern.fits(segments):
                return Explained(pattern.text, "; ".join([f"ROUTES {pattern.text}", *dropped]))
        seen = [templated(segment) for segment in segments[:MAX_SEGMENTS]]
        reasons = [reason for _, reason in seen if reason]
        if len(segments) > MAX_SEGMENTS:
            seen.append((REST, ""))
            reasons.append(f"{REST}: past {MAX_SEGMENTS} segments")
        template = bare[:1] + "/".join(changed for changed, _ in seen)
        return Explained(template, "; ".join([*reasons, *dropped]) or "as it is")
