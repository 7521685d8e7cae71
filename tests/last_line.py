"""A pytest plugin: what ended a test run early, or a test at its time limit, on the last line."""

import signal
import time
from types import FrameType

import pytest

_BEGUN = pytest.StashKey[float]()
_ENDED = pytest.StashKey[str]()
_FROM_LIMIT = "from pytest-timeout"
_EARLY = {
    pytest.ExitCode.INTERRUPTED: "the run was interrupted",
    pytest.ExitCode.INTERNAL_ERROR: "pytest itself failed",
}


def pytest_configure(config: pytest.Config) -> None:
    """A worker of pytest-xdist ends as its controller says."""
    config.stash[_BEGUN] = time.monotonic()
    if not hasattr(config, "workerinput"):
        signal.signal(signal.SIGTERM, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    pytest.exit("SIGTERM", returncode=128 + signal.SIGTERM)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Before pytest's own summary."""
    config = session.config
    after = f"after {time.monotonic() - config.stash[_BEGUN]:.0f} s"
    if exitstatus == 128 + signal.SIGTERM:
        config.stash[_ENDED] = f"NOT ALL TESTS HAVE RUN: SIGTERM {after}"
    elif exitstatus in _EARLY:
        config.stash[_ENDED] = (
            f"NOT ALL TESTS HAVE RUN: {_EARLY[pytest.ExitCode(exitstatus)]} {after}"
        )


def pytest_unconfigure(config: pytest.Config) -> None:
    """After it."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput"):
        return
    failed = [*reporter.stats.get("failed", []), *reporter.stats.get("error", [])]
    limited = [one.nodeid for one in failed if _FROM_LIMIT in str(one.longrepr)]
    if limited:
        reporter.write_line(f"ENDED AT THEIR TIME LIMIT: {', '.join(limited)}")
    if (ended := config.stash.get(_ENDED, None)) is not None:
        reporter.write_line(ended)
