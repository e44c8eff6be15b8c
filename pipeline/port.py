"""A TCP port to listen on, refused in words that name the setting to change."""

from __future__ import annotations

import errno
import socket

from pipeline.errors import ConfigurationError


def family(host: str) -> socket.AddressFamily:
    """IPv6 for an address with colons, else IPv4."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def require_free(host: str, port: int, setting: str) -> None:
    """Raises ConfigurationError, naming `setting`, where nobody could listen on `port` of `host` now.

    For servers that share ports (SO_REUSEPORT) and would silently take half of somebody else's connections.
    """
    with socket.socket(family(host)) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise refused(host, port, setting, error) from error


def refused(host: str, port: int, setting: str, error: OSError) -> ConfigurationError:
    """The error for a port that could not be listened on."""
    if error.errno == errno.EADDRINUSE:
        return ConfigurationError(f"port {port} is in use: stop who listens there, or set {setting} to another port")
    return ConfigurationError(f"cannot listen on port {port} of {host} ({setting}): {error.strerror or error}")
