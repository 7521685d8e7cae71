"""Temporary PostgreSQL and Redis servers, for the fleet's demo day and for tests.

Each listens on a free port of this computer alone, unless it is told of another address of it,
with a password of its own, keeps its data in a folder that goes with it, is a child of this process
and ends with it, however that ends. Linux only: `setpriv` ties a child to its parent there.
"""

import errno
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import psycopg
import redis
from psycopg import sql

from tests.tools.temporary import TemporaryFolder

START_SECONDS = 30.0
STOP_SECONDS = 15.0
START_ATTEMPTS = 5
_PAUSE_S = 0.1


class ServerFailed(Exception):
    """The server did not start, or ended by itself; the text holds its log."""


def missing_packages() -> tuple[str, ...]:
    """What has to be installed before these servers can run, by Debian's names."""
    needed: dict[str, Callable[[], Path]] = {
        "postgresql": _postgres_programs,
        "redis-server": partial(program_path, "redis-server"),
        "util-linux": partial(program_path, "setpriv"),
    }
    missing = []
    for package, find in needed.items():
        try:
            find()
        except FileNotFoundError:
            missing.append(package)
    return tuple(missing)


class Server(ABC):
    """A server process that can be stopped or killed, and started again on its data and port.

    Made, it has its folder; entered, it runs; left, both are gone. Making one raises
    FileNotFoundError where the program is not installed. `also_at` are addresses beside 127.0.0.1
    at which the neighbours in their networks may come in as well.
    """

    stop_signal = signal.SIGTERM

    def __init__(self, *, also_at: Sequence[str] = ()) -> None:
        program_path("setpriv")
        self._addresses = ["127.0.0.1", *also_at]
        self._temporary = TemporaryFolder(f"cnc-{type(self).__name__.lower()}-")
        self.folder = self._temporary.path
        self.port = 0
        self.password = secrets.token_urlsafe(12)
        self._hand_over(self.folder)
        self._log = self.folder / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The main process; raises ServerFailed where none runs."""
        if self._process is None:
            raise ServerFailed("not started")
        return self._process.pid

    def start(self) -> None:
        """Starts and waits until the server answers; the first start finds a port, which it keeps.

        Must be called from a thread that outlives the server: it dies with the thread.
        """
        if self.port:
            self._start_again()
            return
        for attempt in range(START_ATTEMPTS):
            self.port = free_port()
            try:
                self._start_once()
            except ServerFailed:  # somebody took the port in between
                if attempt + 1 == START_ATTEMPTS:
                    self.port = 0
                    raise
            else:
                return

    def stop(self) -> None:
        """Shuts the server down in order; kills it when it does not go within STOP_SECONDS."""
        self._end(self.stop_signal)

    def kill(self) -> None:
        """Ends the server with SIGKILL, as a power cut would."""
        self._end(signal.SIGKILL)

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self._discard()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._discard()

    @abstractmethod
    def _command(self) -> list[str]:
        """What to run, in the foreground."""

    @abstractmethod
    def _answers(self) -> bool:
        """Whether a client gets an answer now."""

    def _launcher(self) -> list[str]:
        """What the command is run by."""
        return as_user()

    def _hand_over(self, path: Path) -> None:
        """Gives a file to the user the server runs as."""
        if os.geteuid() == 0:
            os.chown(path, _server_user().pw_uid, _server_user().pw_gid)

    def _start_once(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*self._launcher(), *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # Ctrl-C ends its users first, and they end it
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._end(signal.SIGKILL)
                raise ServerFailed(f"{type(self).__name__} did not start:\n{self._log.read_text()}")
            time.sleep(0.01)

    def _start_again(self) -> None:
        """A killed one's children are in its way until they have noticed, which takes seconds where
        this computer is busy."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self._start_once()
            except ServerFailed:
                if time.monotonic() > deadline:
                    raise
                time.sleep(_PAUSE_S)
            else:
                return

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _private(self, name: str, content: str) -> Path:
        """A file in the folder that only the server's user can read."""
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(content)
        self._hand_over(path)
        return path

    def _discard(self) -> None:
        self._end(self.stop_signal)
        self._temporary.remove()


class Postgres(Server):
    """A PostgreSQL cluster of its own. Commits are not flushed to the disk: fast, and still safe
    against every end of a process, only not against the end of the machine.
    """

    stop_signal = signal.SIGINT  # "fast": open sessions are ended

    def __init__(self, *, durable: bool = False, also_at: Sequence[str] = ()) -> None:
        self._programs = _postgres_programs()
        super().__init__(also_at=also_at)
        self._durable = durable
        self._data = self.folder / "data"
        self._create_cluster()

    def url(self, database: str = "postgres") -> str:
        """Where to connect, as `CNC_DATABASE_URL` takes it."""
        return f"postgresql://cnc:{self.password}@127.0.0.1:{self.port}/{database}"

    @contextmanager
    def new_database(self, template: str = "template1") -> Iterator[str]:
        """The URL of a new database, empty or a copy of another one to which nobody is connected;
        dropped with the connections left open to it."""
        name = f"shop_{secrets.token_hex(6)}"
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        with psycopg.connect(self.url(), autocommit=True) as admin:
            admin.execute(create.format(sql.Identifier(name), sql.Identifier(template)))
        yield self.url(name)
        self._drop(name)

    def _drop(self, name: str) -> None:
        """The server waits five seconds for the sessions it has ended; where this computer is busy
        they take longer."""
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        deadline = time.monotonic() + START_SECONDS
        with psycopg.connect(self.url(), autocommit=True) as admin:
            while True:
                try:
                    admin.execute(drop)
                except psycopg.errors.ObjectInUse:
                    if time.monotonic() > deadline:
                        raise
                else:
                    return

    def _create_cluster(self) -> None:
        password_file = self._private("password", self.password)
        options = ["--username=cnc", f"--pwfile={password_file}", "--auth=scram-sha-256"]
        options += ["--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"]
        subprocess.run(
            [*as_user(), str(self._programs / "initdb"), *options, str(self._data)],
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        with (self._data / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet scram-sha-256\n")

    def _command(self) -> list[str]:
        settings = {
            "listen_addresses": ",".join(self._addresses),
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on" if self._durable else "off",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [
            str(self._programs / "postgres"),
            "-D",
            str(self._data),
            f"--port={self.port}",
            *options,
        ]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(Server):
    """A Redis that keeps nothing on disk."""

    def __init__(self, *, also_at: Sequence[str] = ()) -> None:
        self._program = program_path("redis-server")
        super().__init__(also_at=also_at)
        # in a file, as every user can read command lines
        self._settings = self._private("redis.conf", f"requirepass {self.password}\n")

    @property
    def url(self) -> str:
        """Where to connect, as `CNC_REDIS_URL` takes it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def clear(self) -> None:
        """Forgets every key."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def _command(self) -> list[str]:
        options = ["--bind", *self._addresses, "--port", str(self.port), "--dir", str(self.folder)]
        options += ["--save", "", "--appendonly", "no"]
        return [str(self._program), str(self._settings), *options]

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_user() -> list[str]:
    """Runs what follows as a user a server accepts, and ends it with this process."""
    command = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        user = _server_user()
        command += [f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
    return command


def _server_user() -> pwd.struct_passwd:
    """PostgreSQL refuses to run as root: its own user runs it then, or nobody."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def program_path(name: str) -> Path:
    found = shutil.which(name)
    if not found:
        raise FileNotFoundError(errno.ENOENT, "not installed", name)
    return Path(found)


def _postgres_programs() -> Path:
    """The newest version's folder: Debian keeps the servers out of the PATH."""
    versions = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    newest = max(versions, key=lambda program: int(program.parts[-3]), default=None)
    return (newest or program_path("postgres")).parent
