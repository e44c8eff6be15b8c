"""Whether strangers can reach a process, and what keeps them out."""

from __future__ import annotations

import ipaddress

import structlog

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

log = structlog.get_logger(__name__)


def require_intended(given: Settings, host: str) -> None:
    """Raises as `require_decided` does, and warns of a process that is open to strangers on purpose."""
    require_decided(given, host)
    if not given.require_api_keys and not _loopback(host):
        log.warning("anybody who reaches this address can use it: REQUIRE_API_KEYS=0", host=host)


def require_decided(given: Settings, host: str) -> None:
    """Raises ConfigurationError where a process that listens on `host` would be open to strangers and nobody said so.

    That is where others than this machine reach it, no keys are required, and REQUIRE_API_KEYS=0 was not said: nobody
    is to find out from strangers that a door was open.
    """
    if given.require_api_keys is None and not _loopback(host):
        raise ConfigurationError(
            f"REQUIRE_API_KEYS: anybody who reaches {host} could use this process; 1 asks for keys (`tally keys create`"
            " makes them), 0 says that something else keeps strangers out"
        )


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
