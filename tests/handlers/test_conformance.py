"""Each of our handlers against what every handler has to do."""

from pathlib import Path
from typing import Any, ClassVar

import pytest

from cnc_station.engine.handlers.base import Handler
from tests.handlers.allowing import allow, sh
from tests.handlers.conformance import Conformance, Endless, own_handlers


class TestDelay(Endless):
    name = "test.delay"
    quick: ClassVar[dict[str, Any]] = {"durationMs": 5}
    endless: ClassVar[dict[str, Any]] = {"durationMs": 3_600_000}
    failing: ClassVar[dict[str, Any]] = {"durationMs": 0, "shouldFail": True}
    wrong: ClassVar[dict[str, Any]] = {"durationMs": True, "shouldFail": "yes", "failMessage": 3}


class TestEcho(Conformance):
    name = "test.echo"
    quick: ClassVar[dict[str, Any]] = {"any": ["thing", 1, None]}
    wrong: ClassVar[dict[str, Any]] = {}  # it takes everything


class TestLog(Conformance):
    name = "test.log"
    quick: ClassVar[dict[str, Any]] = {"message": "hello", "level": "warning"}
    wrong: ClassVar[dict[str, Any]] = {"message": " ", "level": "loud"}


class TestCleanUp(Conformance):
    name = "system.cleanup"
    quick: ClassVar[dict[str, Any]] = {}
    wrong: ClassVar[dict[str, Any]] = {"days": 3}


class TestShellCommand(Endless):
    name = "shell.command"
    quick: ClassVar[dict[str, Any]] = sh("true")
    endless: ClassVar[dict[str, Any]] = sh("sleep 3600")
    failing: ClassVar[dict[str, Any]] = sh("exit 1")
    wrong: ClassVar[dict[str, Any]] = {
        "command": "sh",
        "args": [1],
        "cwd": "..",
        "env": ["PATH=/tmp"],
        "timeout": "long",
        "success": [1.5],
    }

    @pytest.fixture
    def handler(self, tmp_path: Path) -> Handler:
        return own_handlers(tmp_path, allow(tmp_path))[self.name]
