"""The URL of a server, with a password in it that no error may repeat."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from pipeline.errors import ConfigurationError


def split(variable: str, url: str) -> SplitResult:
    """The parts of the URL that an environment variable gives.

    Raises ConfigurationError, which names the variable and repeats nothing of its value, where they cannot be told
    apart: a password that has one of `/ # ? @ :` unquoted ends too soon, and what is left of it is taken for a port, a
    path or a database.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise unreadable(variable) from None
    if parts.netloc and "@" in parts.path + parts.query + parts.fragment:
        raise unreadable(variable)
    return parts


def unreadable(variable: str) -> ConfigurationError:
    """The error that a variable's URL is none."""
    return ConfigurationError(
        f"{variable}: expected scheme://user:password@host:port/name;"
        " where the password has / # ? @ : or %, write %2F %23 %3F %40 %3A or %25"
    )
