"""Every setting, read from the environment once, in a process's `main`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from pipeline import filter, patterns
from pipeline.errors import ConfigurationError

MIB = 1024 * 1024
_SERVER = r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?"
_ORIGIN = rf"https?://{_SERVER}"
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _seconds(value: Any) -> Any:
    """`24h`, `90m`, `30s`, `7d` or a number of seconds, as seconds."""
    if isinstance(value, str) and (match := re.fullmatch(r"\s*(\d+)\s*([smhd])\s*", value)):
        return int(match[1]) * _UNITS[match[2]]
    return value


def _read_by(reader: Callable[[str], object]) -> AfterValidator:
    """Refuses what `reader`, whose ConfigurationError it is, will not understand later; the text stays as it is."""

    def check(text: str) -> str:
        reader(text)
        return text

    return AfterValidator(check)


def _key(text: str) -> None:
    # What a header cannot carry, http.client would repeat in its error: a key read with its line's end, mostly.
    if not re.fullmatch("[!-~]+", text):
        raise ConfigurationError("API_KEY: expected visible ASCII characters alone, without space or line end")


def _brokers(text: str) -> None:
    if not re.fullmatch(rf"\s*{_SERVER}\s*(,\s*{_SERVER}\s*)*", text):
        raise ConfigurationError("KAFKA_BOOTSTRAP_SERVERS: expected host:port, with a comma between two of them")


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[int, BeforeValidator(_seconds), Field(gt=0)]


class Settings(BaseSettings):
    """The settings of all processes; the names are the environment variables' in lower case.

    Secrets (`DATABASE_URL`, `REDIS_URL`, `CACHE_URL`, `API_KEY`) can also be given as a file's path in `NAME_FILE`.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True)

    kafka_bootstrap_servers: Annotated[str, _read_by(_brokers)] = "localhost:9092"
    kafka_topic: Annotated[
        str,
        Field(pattern=r"^[A-Za-z0-9._-]{1,249}$", validation_alias=AliasChoices("KAFKA_TOPIC", "KAFKA_LOG_TOPIC_NAME")),
    ] = "raw-logs"
    kafka_partitions: Annotated[int, Field(ge=1, le=1000)] = 6
    kafka_replication: Annotated[int, Field(ge=1)] = 1
    kafka_group: str = "tally"
    database_url: str | None = Field(default=None, repr=False)
    redis_url: str = Field(default="redis://localhost:6379/0", repr=False)
    cache_url: str = Field(default="redis://localhost:6379/1", repr=False)

    discard_status: Annotated[str, _read_by(filter.discarded)] = "200"
    routes: Annotated[str, _read_by(patterns.parsed)] | None = None
    max_routes: Annotated[int, Field(ge=1)] = 1000
    receiver_host: str = "127.0.0.1"
    receiver_port: Port = 8080
    webapi_host: str = "127.0.0.1"
    webapi_port: Port = 8081
    demo_traffic: bool = False
    cors_origins: Annotated[str | None, Field(pattern=rf"^(\*|{_ORIGIN}(\s*,\s*{_ORIGIN})*)?$")] = None
    admin_host: str = "127.0.0.1"
    consumer_admin_port: Port = 8082
    worker_admin_port: Port = 8083
    scheduler_admin_port: Port = 8084

    max_body_bytes: Annotated[int, Field(ge=1024, le=64 * MIB)] = 8 * MIB
    max_lines: Annotated[int, Field(ge=1)] = 100_000
    max_pending: Annotated[int, Field(ge=1)] = 64
    key_window: Seconds = 24 * 3600
    retention_days: Annotated[int, Field(ge=1)] = 30
    data_dir: Path = Path(".tally")
    require_api_keys: bool | None = None
    api_key: Annotated[str, _read_by(_key)] | None = Field(default=None, repr=False)
    log_level: Annotated[str, Field(pattern="^(DEBUG|INFO|WARNING|ERROR)$")] = "INFO"

    target_api_url: str = "http://127.0.0.1:8080/upload"
    qty_in_batch: Annotated[int, Field(ge=1)] = 100
    rps: Annotated[float, Field(gt=0)] = 1
    client_error_freq: Annotated[float, Field(ge=0, le=1)] = 0.2
    server_error_freq: Annotated[float, Field(ge=0, le=1)] = 0.2
    seed: int | None = None

    kafka_host: str | None = Field(
        default=None, description="the original's name; with KAFKA_PORT, for KAFKA_BOOTSTRAP_SERVERS"
    )
    kafka_port: Port = 9092

    @model_validator(mode="before")
    @classmethod
    def _empty_is_absent(cls, given: dict[str, Any]) -> dict[str, Any]:
        # An empty DISCARD_STATUS says something: keep all.
        return {name: value for name, value in given.items() if value != "" or name.lower() == "discard_status"}

    @model_validator(mode="after")
    def _host_and_port(self) -> Settings:
        if self.kafka_host and not self.names("kafka_bootstrap_servers"):
            object.__setattr__(self, "kafka_bootstrap_servers", f"{self.kafka_host}:{self.kafka_port}")
            self.model_fields_set.add("kafka_bootstrap_servers")
        return self

    def names(self, field: str) -> bool:
        """Whether the environment itself gave this setting."""
        return field in self.model_fields_set


_SECRETS = ("database_url", "redis_url", "cache_url", "api_key")


def load() -> Settings:
    """The settings of this process's environment.

    Raises ConfigurationError, which names each variable that is wrong and why, without its value.
    """
    try:
        secrets: dict[str, Any] = dict(_from_files())
        return Settings(**secrets)
    except ValidationError as error:
        said = "; ".join(f"{str(e['loc'][0]).upper()}: {e['msg']}" if e["loc"] else e["msg"] for e in error.errors())
        raise ConfigurationError(said) from None


def api_key() -> str | None:
    """API_KEY by itself, for who needs no other setting. Raises ConfigurationError."""
    found = dict(_from_files()).get("api_key") or os.environ.get("API_KEY") or None
    if found is not None:
        _key(found)
    return found


def _from_files() -> Iterator[tuple[str, str]]:
    for field in _SECRETS:
        variable = f"{field.upper()}_FILE"
        if path := os.environ.get(variable):
            try:
                yield field, Path(path).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ConfigurationError(f"{variable}: {error}") from None
            except UnicodeDecodeError:
                raise ConfigurationError(f"{variable}: {path} is not text in UTF-8") from None
