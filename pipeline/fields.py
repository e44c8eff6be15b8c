"""The column types that Peewee has not."""

from __future__ import annotations

from datetime import datetime

from peewee import BlobField, Field


class UtcField(Field):
    """A time with microseconds: DATETIME(6) on MySQL, text of one fixed width on SQLite, so that text sorts as time."""

    field_type = "DATETIME(6)"

    def db_value(self, value: datetime | str | None) -> str | None:
        return f"{value:%Y-%m-%d %H:%M:%S.%f}" if isinstance(value, datetime) else value

    def python_value(self, value: datetime | str | None) -> datetime | None:
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class BytesField(Field):
    """Exactly 16 bytes, compared as bytes."""

    field_type = "BINARY(16)"


class DigestField(Field):
    """Exactly 32 bytes, compared as bytes."""

    field_type = "BINARY(32)"


class MediumBlobField(BlobField):
    """Up to 16 MiB on MySQL."""

    field_type = "MEDIUMBLOB"
