"""Settings: the names of the environment, and refusals that name a setting and never its value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline import settings
from pipeline.errors import ConfigurationError
from pipeline.settings import Settings


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(field.upper(), raising=False)


def loaded(monkeypatch: pytest.MonkeyPatch, **environment: str) -> Settings:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings.load()


def test_without_an_environment_the_defaults_are_the_documented_ones() -> None:
    found = settings.load()
    assert (found.kafka_topic, found.kafka_partitions, found.discard_status) == ("raw-logs", 6, "200")
    assert (found.receiver_port, found.webapi_port) == (8080, 8081)
    assert (found.max_body_bytes, found.max_lines, found.max_pending) == (8 * 1024 * 1024, 100_000, 64)
    assert (found.key_window, found.retention_days, found.data_dir) == (86_400, 30, Path(".tally"))
    assert (found.qty_in_batch, found.rps, found.client_error_freq, found.server_error_freq) == (100, 1, 0.2, 0.2)
    assert (found.receiver_host, found.webapi_host, found.admin_host) == ("127.0.0.1",) * 3


def test_every_setting_is_read_from_the_variable_of_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = loaded(monkeypatch, KAFKA_TOPIC="a", MAX_PENDING="7", RPS="0.5", REQUIRE_API_KEYS="1", SEED="3")
    assert (found.kafka_topic, found.max_pending, found.rps, found.require_api_keys, found.seed) == (
        "a",
        7,
        0.5,
        True,
        3,
    )


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    found = loaded(monkeypatch, MAX_PENDING="", DATABASE_URL="", KAFKA_TOPIC="")
    assert (found.max_pending, found.database_url, found.kafka_topic) == (64, None, "raw-logs")
    assert not found.names("database_url")


@pytest.mark.parametrize(
    ("environment", "servers"),
    [
        ({"KAFKA_BOOTSTRAP_SERVERS": "a:1,b:2"}, "a:1,b:2"),
        ({"KAFKA_BOOTSTRAP_SERVERS": "a, [::1]:9092"}, "a, [::1]:9092"),
        ({"KAFKA_HOST": "kafka", "KAFKA_PORT": "9093"}, "kafka:9093"),
        ({"KAFKA_HOST": "kafka"}, "kafka:9092"),
        ({"KAFKA_HOST": "kafka", "KAFKA_BOOTSTRAP_SERVERS": "a:1"}, "a:1"),
    ],
)
def test_the_original_s_names_of_the_broker_are_understood(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], servers: str
) -> None:
    found = loaded(monkeypatch, **environment)
    assert found.kafka_bootstrap_servers == servers
    assert found.names("kafka_bootstrap_servers")


def test_the_original_s_name_of_the_topic_is_understood_after_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded(monkeypatch, KAFKA_LOG_TOPIC_NAME="old").kafka_topic == "old"
    assert loaded(monkeypatch, KAFKA_TOPIC="new").kafka_topic == "new"


@pytest.mark.parametrize(("said", "seconds"), [("24h", 86_400), ("90m", 5_400), ("30s", 30), ("7d", 604_800)])
def test_a_window_is_written_in_seconds_or_with_a_unit(
    monkeypatch: pytest.MonkeyPatch, said: str, seconds: int
) -> None:
    assert loaded(monkeypatch, KEY_WINDOW=said).key_window == seconds


def test_origins_are_a_list_or_all(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("*", "https://a.example", "http://localhost:3000, https://a.example,http://[::1]:8000"):
        assert loaded(monkeypatch, CORS_ORIGINS=text).cors_origins == text
    for text in ("a.example", "https://a.example/", "https://a.example,*", "null", "https://a.example,"):
        with pytest.raises(ConfigurationError, match="CORS_ORIGINS"):
            loaded(monkeypatch, CORS_ORIGINS=text)


def test_a_secret_can_stand_in_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("mysql://tally:secret@db/log_db\n")
    found = loaded(monkeypatch, DATABASE_URL_FILE=str(tmp_path / "url"))
    assert found.database_url == "mysql://tally:secret@db/log_db"
    assert found.names("database_url")
    assert "secret" not in repr(found)


def test_a_secret_s_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="REDIS_URL_FILE"):
        loaded(monkeypatch, REDIS_URL_FILE=str(tmp_path / "absent"))


def test_a_secret_s_file_that_is_no_text_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="API_KEY_FILE"):
        loaded(monkeypatch, API_KEY_FILE=str(tmp_path / "binary"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka://hunter2:9092"),
        ("KAFKA_BOOTSTRAP_SERVERS", "hunter2:9092,"),
        ("RECEIVER_PORT", "hunter2"),
        ("RECEIVER_PORT", "65536"),
        ("KAFKA_PORT", "hunter2"),
        ("MAX_PENDING", "0"),
        ("KEY_WINDOW", "hunter2"),
        ("KEY_WINDOW", "0h"),
        ("KAFKA_TOPIC", "hunter 2"),
        ("KAFKA_TOPIC", "hunter2" * 40),
        ("LOG_LEVEL", "hunter2"),
        ("CLIENT_ERROR_FREQ", "1.5"),
        ("RPS", "0"),
        ("REQUIRE_API_KEYS", "hunter2"),
        ("MAX_BODY_BYTES", "1023"),
        ("API_KEY", "hunter2\r"),
        ("API_KEY", "hunter2€"),
    ],
)
def test_a_bad_value_is_refused_by_name_and_never_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    with pytest.raises(ConfigurationError, match=name) as refused:
        loaded(monkeypatch, **{name: value})
    assert "hunter" not in str(refused.value)


def test_all_that_is_wrong_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError) as refused:
        loaded(monkeypatch, WEBAPI_PORT="x", MAX_LINES="y")
    assert "WEBAPI_PORT" in str(refused.value)
    assert "MAX_LINES" in str(refused.value)


def test_loading_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAFKA_HOST", "kafka")
    before = dict(os.environ)
    settings.load()
    assert dict(os.environ) == before
