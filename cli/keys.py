"""`tally keys`: makes API keys, shows what is done with them, and revokes them, in the database itself."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click
import msgspec

from cli.database import database
from cli.utf8 import utf8
from pipeline.keyring import SCOPES
from pipeline.moment import rfc3339
from pipeline.process import guarded

if TYPE_CHECKING:
    from pipeline.api_keys import Listed


@click.group()
def keys() -> None:
    """Make, list and revoke API keys, which REQUIRE_API_KEYS=1 asks for."""


@keys.command()
@click.argument("name", callback=utf8)
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES), help="May be repeated.")
@click.option("--rate", type=click.IntRange(1, 1_000_000), help="Requests a second, of each receiver and web API.")
def create(name: str, scopes: tuple[str, ...], rate: int | None) -> None:
    """Make a key for NAME and print it, this once: nobody can look it up later."""
    guarded("keys create", lambda: _create(name, scopes, rate))


@keys.command("list")
@click.option("--json", "as_json", is_flag=True, help="An array of objects.")
def list_(as_json: bool) -> None:
    """Show all keys, and the uploads, lines and refusals of each.

    The counts are advice, told within two seconds; what a process that was killed had not told yet is missing.
    """
    guarded("keys list", lambda: _list(as_json))


@keys.command()
@click.argument("key_id", metavar="ID", callback=utf8)
def revoke(key_id: str) -> None:
    """Revoke the key with this ID, for good; it is refused within five seconds."""
    guarded("keys revoke", lambda: _revoke(key_id))


def _create(name: str, scopes: tuple[str, ...], rate: int | None) -> int:
    from pipeline import api_keys

    if not 1 <= len(name.strip()) <= 100:
        raise click.UsageError("NAME is 1 to 100 characters")
    with database() as store:
        click.echo(api_keys.create(store, name.strip(), frozenset(scopes), rate))
    click.echo("This is the only time that it is shown. It is sent as `Authorization: Bearer KEY`.", err=True)
    click.echo("It counts within five seconds.", err=True)
    return 0


def _list(as_json: bool) -> int:
    from cli.table import Column, Paper, number, word
    from pipeline import api_keys

    with database() as store:
        found = api_keys.listed(store)
    if as_json:
        click.echo(msgspec.json.encode([_told(one) for one in found]).decode())
        return 0
    columns = [Column(name, False) for name in ("id", "name", "scopes", "created", "last used", "revoked")]
    columns += [Column(name) for name in ("rate", "uploads", "lines", "refusals")]
    rows = [
        [
            word(one.public_id),
            word(one.name),
            word(one.scopes),
            *(word(_at(moment) or "-") for moment in (one.created_at, one.last_used_at, one.revoked_at)),
            *(number(count) for count in (one.rate, one.uploads, one.lines, one.refusals)),
        ]
        for one in found
    ]
    Paper().table(columns, rows)
    return 0


def _revoke(key_id: str) -> int:
    from pipeline import api_keys

    with database() as store:
        revoked = api_keys.revoke(store, key_id)
    if not revoked:
        raise click.UsageError(f"there is no key {key_id[:40]!r}; `tally keys list` shows their ids")
    click.echo(f"revoked {key_id}", err=True)
    return 0


def _told(one: Listed) -> dict[str, object]:
    moments = {name: _at(getattr(one, name)) for name in ("created_at", "last_used_at", "revoked_at")}
    return msgspec.structs.asdict(one) | {"scopes": one.scopes.split(",")} | moments


def _at(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None
