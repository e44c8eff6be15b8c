"""Whether strangers can reach a process, and what keeps them out."""

from __future__ import annotations

import ipaddress

import structlog

from pipeline.errors import ConfigurationError
from pipeline.settings import Settings

log = structlog.get_logger(__name__)


def look(given: Settings, host: str) -> None:
    """Warns of a process that listens on `host` for others than this machine: nobody is asked for a key.

    Raises ConfigurationError where keys are required: this version has none, and must not seem to.
    """
    if given.require_api_keys:
        raise ConfigurationError("REQUIRE_API_KEYS: this version has no API keys; put it behind a proxy that asks")
    if not _loopback(host):
        log.warning("anybody who reaches this address can use it: there are no API keys", host=host)


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
