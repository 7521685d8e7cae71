"""What every test stands on: no screen, nobody's settings, and servers for those who ask."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
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
