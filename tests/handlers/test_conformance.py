"""Each of our handlers against what every handler has to do."""

from typing import Any, ClassVar

from tests.handlers.conformance import Conformance


class TestDelay(Conformance):
    name = "test.delay"
    quick: ClassVar[dict[str, Any]] = {"durationMs": 5}
    endless: ClassVar[dict[str, Any]] = {"durationMs": 3_600_000}
    failing: ClassVar[dict[str, Any]] = {"durationMs": 0, "shouldFail": True}
    wrong: ClassVar[dict[str, Any]] = {"durationMs": True, "shouldFail": "yes", "failMessage": 3}


class TestEcho(Conformance):
    name = "test.echo"
    quick: ClassVar[dict[str, Any]] = {"any": ["thing", 1, None]}


class TestLog(Conformance):
    name = "test.log"
    quick: ClassVar[dict[str, Any]] = {"message": "hello", "level": "warning"}
    wrong: ClassVar[dict[str, Any]] = {"message": " ", "level": "loud"}


class TestCleanUp(Conformance):
    name = "system.cleanup"
    quick: ClassVar[dict[str, Any]] = {}
    wrong: ClassVar[dict[str, Any]] = {"days": 3}
