"""What `tally up` says once it is ready: where everything is, and what to try."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime

from cli import ports
from pipeline.keyring import SCHEME, SCOPES
from pipeline.settings import Settings


def banner(settings: Settings, given: Mapping[str, str], now: datetime) -> str:
    """The text for stdout; `given` are the settings that lead to embedded servers, `now` dates a line to send."""
    lines = [
        "",
        "Tally is ready.",
        "",
        *_addresses(settings, given),
        "",
        "Try:",
        "",
        *_commands(settings, given, now),
        "",
    ]
    if "KAFKA_BOOTSTRAP_SERVERS" in given:
        lines += [
            "The embedded Kafka keeps its log in memory only: what was acknowledged and is not stored yet is lost "
            "when it ends, and the ledger counts it as lost.",
            "",
        ]
    return "\n".join(lines)


def _addresses(settings: Settings, given: Mapping[str, str]) -> Iterator[str]:
    receiver, webapi = ports.address(settings, "receiver"), ports.address(settings, "webapi")
    yield f"  dashboard  {webapi}/"
    yield f"  receiver   {receiver}/upload"
    yield f"  web API    {webapi}/logs  {webapi}/stats  {webapi}/ledger  {webapi}/docs"
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL", "CACHE_URL", "DATABASE_URL"):
        if name in given:
            yield f"  embedded   {name}={given[name]}"


def _commands(settings: Settings, given: Mapping[str, str], now: datetime) -> Iterator[str]:
    receiver, webapi = ports.address(settings, "receiver"), ports.address(settings, "webapi")
    line = f"{now:%Y-%m-%dT%H:%M:%SZ} 184.116.4.244 POST /products 500 971ms"
    key = ""
    if settings.require_api_keys:
        key = f" -H 'Authorization: {SCHEME} tally_…'"
        scopes = "".join(f" --scope {scope}" for scope in SCOPES)
        database = f"DATABASE_URL={shlex.quote(given['DATABASE_URL'])} " if "DATABASE_URL" in given else ""
        yield f"  {database}tally keys create mine{scopes}    # prints the key, this once"
    yield f"  curl -s {receiver}/upload{key} -H 'Content-Type: application/json' -d '[\"{line}\"]'"
    yield f"  curl -s '{webapi}/logs?limit=5'{key}"
    yield f"  curl -s '{webapi}/stats?type=errors&range=hour'{key}"
