"""The list of settings that people copy is the list of settings that there are."""

from __future__ import annotations

import re

from pipeline.settings import Settings
from tests.servers import ROOT

LISTED = dict(re.findall(r"^#([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


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
