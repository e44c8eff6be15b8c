"""Text of a command line that can be sent, kept and looked for."""

from __future__ import annotations

import click


def utf8(_context: click.Context, _parameter: click.Parameter, text: str | None) -> str | None:
    """A parameter's callback: refuses what a shell gave in another encoding, which is here with surrogates in it."""
    try:
        (text or "").encode()
    except UnicodeEncodeError:
        raise click.BadParameter("expected UTF-8") from None
    return text
