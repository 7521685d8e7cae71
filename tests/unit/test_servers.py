import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import psycopg
import pytest
import redis

from tests.conftest import serving
from tests.tools.servers import Postgres, Redis


def test_postgres_gives_each_test_an_empty_database(postgres: Postgres, postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        connection.execute("CREATE TABLE jobs (id int)")
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchall() == [("jobs",)]
    assert postgres_url != postgres.url()


def test_postgres_requires_the_password(postgres: Postgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=postgres.port, user="cnc", password="guessed")


def test_a_killed_postgres_comes_back_on_its_port_with_what_was_committed(
    own_postgres: Postgres,
) -> None:
    url = own_postgres.url()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS value")
    own_postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    own_postgres.start()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT value FROM kept").fetchone() == (7,)


def test_a_killed_postgres_comes_back_although_a_session_of_before_takes_long_to_end(
    own_postgres: Postgres,
) -> None:
    with psycopg.connect(own_postgres.url()) as connection:
        backend = connection.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        own_postgres.kill()
        waker = threading.Timer(2.0, os.kill, (backend, signal.SIGCONT))
        waker.start()
        own_postgres.start()
        waker.join()
    psycopg.connect(own_postgres.url()).close()


@pytest.mark.parametrize("also_at", [(), ("127.0.0.2",)])
def test_a_server_listens_only_on_the_given_addresses(also_at: tuple[str, ...]) -> None:
    with serving(partial(Redis, also_at=also_at)) as server:
        assert _listens("127.0.0.1", server.port)
        assert _listens("127.0.0.2", server.port) is bool(also_at)


def _listens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def test_redis_comes_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        assert client.zadd("mill", {"17": 1.0}) == 1


def test_a_stopped_redis_comes_back_on_its_port(own_redis: Redis) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        own_redis.stop()
        with pytest.raises(redis.ConnectionError):
            client.ping()
        own_redis.start()
        assert client.ping()


def test_a_server_that_is_left_takes_its_folder_with_it(redis_server: Redis) -> None:
    with Redis() as server:
        assert server.folder.is_dir()
        assert server.port != redis_server.port
    assert not server.folder.exists()


@pytest.mark.usefixtures("redis_server")
def test_a_server_ends_with_whoever_started_it_and_leaves_nothing_behind() -> None:
    program = (
        "from tests.tools.servers import Redis; server = Redis(); server.start(); "
        "print(server.pid, server.folder, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        pid, folder = owner.stdout.readline().split()
        server = os.pidfd_open(int(pid))
        owner.kill()
    ended, _, _ = select.select([server], [], [], 30)
    os.close(server)
    assert ended
    deadline = time.monotonic() + 30
    while Path(folder).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_redis_requires_the_password(redis_server: Redis) -> None:
    with (
        redis.Redis(host="127.0.0.1", port=redis_server.port) as client,
        pytest.raises(redis.AuthenticationError),
    ):
        client.ping()


@pytest.mark.parametrize("server_fixture", ["postgres", "redis_server"])
def test_no_password_is_on_a_command_line(
    server_fixture: str, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(server_fixture)
    assert server.password.encode() not in Path(f"/proc/{server.pid}/cmdline").read_bytes()
