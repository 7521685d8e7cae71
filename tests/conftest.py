"""What every test stands on: no screen, nobody's settings, and servers for those who ask."""

import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.last_line import (  # noqa: F401 - pytest finds its hooks here
    pytest_configure,
    pytest_sessionfinish,
    pytest_unconfigure,
)

if TYPE_CHECKING:
    from tests.tools.servers import Postgres, Redis, Server

AnyServer = TypeVar("AnyServer", bound="Server")

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_API", "pyside6")

_DEV = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # busy computers
settings.register_profile("dev", _DEV)
settings.register_profile("ci", _DEV, derandomize=True, print_blob=True)
settings.register_profile("long", _DEV, max_examples=5_000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") == "true" else "dev")
)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Thousands of tests are collected without a search for garbage among them, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def nobodys_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test sees the settings of the person at this machine, nor writes into their folders."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CNC_")]:
            patch.delenv(name)
        for name in ("CONFIG", "DATA", "STATE", "CACHE"):
            patch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
        patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
        yield


@pytest.fixture(scope="session")
def postgres() -> Iterator["Postgres"]:
    """One PostgreSQL for the session; a test that stops or kills one takes `own_postgres`."""
    with _postgres() as server:
        yield server


@pytest.fixture
def own_postgres() -> Iterator["Postgres"]:
    """A PostgreSQL nobody else uses."""
    with _postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres: "Postgres") -> Iterator[str]:
    """A new, empty database, dropped after the test with the connections left open to it."""
    with postgres.new_database() as url:
        yield url


@pytest.fixture(scope="session")
def compiled_once() -> Iterator[None]:
    """For tests that open databases in this process."""
    from tests.compiled import compiled_once  # noqa: PLC0415 - as above

    with compiled_once():
        yield


@pytest.fixture(scope="session")
def migrated_file(compiled_once: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001 - before the first database
    """A database file without rows, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("template") / "shop.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def station_file(migrated_file: Path, tmp_path: Path) -> Path:
    """The database file of a station that has been started before, without rows."""
    return Path(shutil.copy(migrated_file, tmp_path / "station.db"))


@pytest.fixture(scope="session")
def migrated_database(compiled_once: None, postgres: "Postgres") -> Iterator[str]:  # noqa: ARG001 - before the first database
    """The name of a database on the server without rows, to be copied."""
    with postgres.new_database() as url:
        _migrate(url)
        yield url.rsplit("/", 1)[1]


@pytest.fixture
def shop_url(postgres: "Postgres", migrated_database: str) -> Iterator[str]:
    """A new database whose stations have been started before, without rows."""
    with postgres.new_database(migrated_database) as url:
        yield url


def _migrate(url: str) -> None:
    from cnc_station.engine.store.database import Database  # noqa: PLC0415 - as below
    from cnc_station.engine.store.migrate import bring_up_to_date  # noqa: PLC0415 - as below

    database = Database(url, synchronous="OFF")
    bring_up_to_date(database)
    database.close()


@pytest.fixture(scope="session")
def redis_server() -> Iterator["Redis"]:
    """One Redis for the session; a test that stops or kills one takes `own_redis`."""
    with _redis() as server:
        yield server


@pytest.fixture
def own_redis() -> Iterator["Redis"]:
    """A Redis nobody else uses."""
    with _redis() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: "Redis") -> str:
    """An empty Redis."""
    redis_server.clear()
    return redis_server.url


def _postgres() -> AbstractContextManager["Postgres"]:
    from tests.tools.servers import Postgres  # noqa: PLC0415 - half a second no other test should pay

    return serving(Postgres)


def _redis() -> AbstractContextManager["Redis"]:
    from tests.tools.servers import Redis  # noqa: PLC0415 - half a second no other test should pay

    return serving(Redis)


@contextmanager
def serving(new_server: Callable[[], AnyServer]) -> Iterator[AnyServer]:
    """Skips the test where the server is not installed, which is a failure in CI, or where this
    user may not start it."""
    try:
        server = new_server()
    except PermissionError as forbidden:
        pytest.skip(str(forbidden))
    except FileNotFoundError as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"{missing.filename} is not installed")
    with server:
        yield server


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What each driver made of each fault, as `test_fault_matrix` has seen it."""
    cells = [
        value
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "fault"
    ]
    if not cells:
        return
    drivers = sorted({driver for driver, _, _ in cells})
    ends = {(driver, fault): end for driver, fault, end in cells}
    faults = sorted({fault for _, fault, _ in cells})
    terminalreporter.section("drivers and faults")
    for row in (["", *drivers], *([f, *(ends.get((d, f), "-") for d in drivers)] for f in faults)):
        terminalreporter.write_line("".join(f"{cell:28}" for cell in row).rstrip())
