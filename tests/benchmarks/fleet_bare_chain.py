"""From a job submitted by one process to its run written by another, with nothing but the clients.

What no two stations can avoid: the job with its event is committed, a hint in Redis wakes the other
process, which asks for the job and for a machine, and commits the run with its events. The other
one runs this module as a process of its own: it says `ready`, and then for each job its id and
when its run was committed, on the clock that all processes of a PC share.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import psycopg
from redis import Redis

from tests.benchmarks.fleet_bare import (
    Client,
    Runs,
    add_jobs,
    add_machines,
    add_runs,
    move,
    move_runs,
    record,
    take,
)

HINTS = "bare-chain"
NOBODY_COMES_S = 60


def chain_ms(database_url: str, redis_url: str, count: int) -> list[float]:
    """One job after the other, at moments of no pattern. The database must be fresh: ids of jobs
    and runs count from 1."""
    delays = []
    with (
        psycopg.connect(database_url, autocommit=True) as client,
        Redis.from_url(redis_url) as hints,
    ):
        add_machines(client, 1)
        with _other(database_url, redis_url) as other:
            for job_id in range(1, count + 1):
                time.sleep(random.uniform(0.1, 0.2))
                begun = time.monotonic_ns()
                _submit(client, job_id)
                hints.zadd(HINTS, {str(job_id): 0})
                told, at = other.readline().split()
                assert int(told) == job_id
                delays.append((int(at) - begun) / 1e6)
    return delays


@contextmanager
def _other(database_url: str, redis_url: str) -> Iterator[IO[str]]:
    command = [sys.executable, "-m", __name__, database_url, redis_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process.stdout
        finally:
            process.terminate()


def _submit(client: Client, job_id: int) -> None:
    with client.pipeline():
        client.execute("BEGIN")
        add_jobs(client, 1)
        client.execute(_CREATED, (job_id,))
        client.execute("COMMIT")


def _begin(client: Client, run_id: int) -> Runs:
    client.execute("BEGIN")
    jobs = take(client, 1)
    machines = [machine for (machine,) in client.execute(_IDLE)]
    runs = Runs([run_id], jobs, machines)
    with client.pipeline():
        add_runs(client, "running", jobs, machines)
        record(client, "assigned", ("assigned", "assigned"), runs)
        move(client, "started", ("running", "running"), runs)
        client.execute("COMMIT")
    return runs


def _end(client: Client, runs: Runs) -> None:
    """Its machine can take the next one."""
    with client.transaction():
        move_runs(client, "succeeded", runs)
        move(client, "completed", ("completed", "idle"), runs)


_CREATED = """INSERT INTO event (at, type, job_id, job_state, actor, station, trace_id, reason)
 VALUES (0, 'created', %s, 'queued', 'bench', 'bench', 'trace', '')"""
_IDLE = "SELECT id FROM machine WHERE state = 'idle' LIMIT 1 FOR UPDATE SKIP LOCKED"


def _main(database_url: str, redis_url: str) -> None:
    with (
        psycopg.connect(database_url, autocommit=True) as client,
        Redis.from_url(redis_url, socket_timeout=None) as hints,
    ):
        print("ready", flush=True)
        run_id = 0
        while hints.bzpopmax(HINTS, NOBODY_COMES_S):
            run_id += 1
            runs = _begin(client, run_id)
            print(*runs.jobs, time.monotonic_ns(), flush=True)
            _end(client, runs)


if __name__ == "__main__":
    _main(*sys.argv[1:])
