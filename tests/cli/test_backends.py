"""The servers that the other tests stand on."""

from __future__ import annotations

from contextlib import closing
from urllib.parse import urlsplit

import pymysql
import pytest
import redis
from kafka.admin import KafkaAdminClient, NewTopic

from cli import ports
from cli.child import wait_until
from tests.servers import Backend


def test_a_topic_can_be_made_and_found(backend: Backend) -> None:
    name = backend.new_topic_name()
    with closing(KafkaAdminClient(bootstrap_servers=backend.kafka_bootstrap_servers)) as admin:
        admin.create_topics([NewTopic(name, 2, 1)])
        # The broker that answers may not have heard of it yet from the controller.
        assert wait_until(lambda: name in admin.list_topics(), 10)


@pytest.mark.parametrize("name", ["redis", "cache"])
def test_a_killed_redis_comes_back_with_its_data(backend: Backend, name: str) -> None:
    url = backend.environment()[{"redis": "REDIS_URL", "cache": "CACHE_URL"}[name]]
    with closing(redis.Redis.from_url(url)) as client:
        client.set("x", "1")
        client.bgrewriteaof()
    server = backend.servers[name]
    server.stop()
    assert not ports.redis_answers(server.port)
    server.start()
    with closing(redis.Redis.from_url(url)) as client:
        assert client.get("x") == b"1"


def test_a_frozen_server_does_not_answer_until_it_thaws(backend: Backend) -> None:
    server = backend.servers["redis"]
    server.freeze()
    assert not ports.redis_answers(server.port)
    server.thaw()
    assert ports.redis_answers(server.port)


def test_new_databases_and_environments_are_never_shared(backend: Backend) -> None:
    one, two = backend.environment(), backend.environment()
    assert not {name for name in one if one[name] == two[name]} - {"KAFKA_BOOTSTRAP_SERVERS"}


def test_the_database_is_utf8mb4_and_commits_durably(real: Backend) -> None:
    url = urlsplit(real.new_database())
    with (
        closing(
            pymysql.connect(
                host=url.hostname, port=url.port or 0, user=url.username, password="tally", database=url.path[1:]
            )
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT @@character_set_database, @@innodb_flush_log_at_trx_commit")
        assert cursor.fetchone() == ("utf8mb4", 1)
