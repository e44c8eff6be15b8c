"""The list of settings that people copy is the list of settings that there are."""

from __future__ import annotations

import re

from pipeline.settings import Settings
from tests.servers import ROOT

LISTED = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))

COMPOSED = set(re.findall(r"\$\{(\w+):?-(.*?)\}", (ROOT / "docker-compose.yml").read_text()))
# What Compose's own network, servers and volumes decide.
FIXED = {
    *("KAFKA_BOOTSTRAP_SERVERS", "KAFKA_HOST", "KAFKA_PORT", "KAFKA_TOPIC", "KAFKA_REPLICATION", "KAFKA_GROUP"),
    *("DATABASE_URL", "REDIS_URL", "CACHE_URL", "TARGET_API_URL", "DATA_DIR"),
    *("RECEIVER_HOST", "WEBAPI_HOST", "ADMIN_HOST"),
    *("CONSUMER_ADMIN_PORT", "WORKER_ADMIN_PORT", "SCHEDULER_ADMIN_PORT"),
}


def test_compose_passes_on_every_setting_that_it_does_not_fix_with_the_default_that_is_listed() -> None:
    otherwise = {"REQUIRE_API_KEYS": "0", "MYSQL_PASSWORD": "tally"}
    passed_on = {name: default for name, default in LISTED.items() if name not in FIXED} | otherwise
    assert set(passed_on.items()) == COMPOSED


def test_every_setting_is_listed_and_nothing_else() -> None:
    assert {name.lower() for name in LISTED} == set(Settings.model_fields)


def test_the_defaults_that_are_listed_are_the_defaults() -> None:
    given = {name.lower(): value for name, value in LISTED.items() if value}
    listed = Settings.model_validate({"KAFKA_TOPIC": given.pop("kafka_topic"), **given})
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    assert listed.model_dump() == defaults
    assert {name for name, default in defaults.items() if default is None} == Settings.model_fields.keys() - given - {
        "kafka_topic"
    }
