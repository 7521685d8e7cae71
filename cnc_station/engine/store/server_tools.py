"""PostgreSQL's own tools: a dump of a server's database, and a restore into an empty one."""

import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from cnc_station.bundled import outside_environment
from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.store.database import Database

T = TypeVar("T")

_LOOK_S = 0.2
_WAIT_FOR_THE_TOOL = text("SET LOCAL idle_in_transaction_session_timeout = 0")
_EXPORT = text("SELECT pg_export_snapshot()")
_COMMON = ("--no-owner", "--no-privileges", "--no-password")


def dump(
    database: Database, to: Path, query: Callable[[Connection], T], on_step: Callable[[], None]
) -> T:
    """Write the database as it is now into an existing file. Return what `query` finds at the same
    moment. `on_step` is called regularly; if it raises, the tool is ended. Raises Conflict,
    Unavailable."""
    require("pg_dump")

    def at_one_moment(connection: Connection) -> T:
        connection.execute(_WAIT_FOR_THE_TOOL)
        snapshot = connection.execute(_EXPORT).scalar_one()
        arguments = ["--format=custom", f"--snapshot={snapshot}", f"--file={to}"]
        found = query(connection)
        _run("pg_dump", database.url, arguments, on_step)
        return found

    found: T = database.read(at_one_moment)
    return found


def load(url: URL, dumped: Path, on_step: Callable[[], None]) -> None:
    """Restore a dump into an empty database, or nothing of it. Raises Conflict, Unavailable."""
    _run("pg_restore", url, ["--single-transaction", "--exit-on-error", str(dumped)], on_step)


def require(tool: str) -> str:
    """Return the path of a tool. Raises Conflict with what to install."""
    found = shutil.which(tool)
    if found is None:
        raise Conflict(
            f"{tool} is not installed on this computer. Install PostgreSQL's client tools (Debian: "
            "apt install postgresql-client), of the server's version or newer."
        )
    return found


def _run(tool: str, url: URL, arguments: Sequence[str], on_step: Callable[[], None]) -> None:
    """The password goes through the environment: arguments can be seen by every account."""
    address = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    ).render_as_string()
    environment = outside_environment() | {"LC_ALL": "C.UTF-8"}
    if url.password is not None:
        environment["PGPASSWORD"] = str(url.password)
    process = subprocess.Popen(
        [require(tool), *_COMMON, f"--dbname={address}", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
    )
    try:
        while True:
            with suppress(subprocess.TimeoutExpired):
                _, said = process.communicate(timeout=_LOOK_S)
                break
            on_step()
    except BaseException:
        process.kill()
        process.communicate()
        raise
    if process.returncode:
        last = next((line for line in reversed(said.splitlines()) if line.strip()), "")
        raise Unavailable(f"{tool} failed: {last or process.returncode}", raw=said)
