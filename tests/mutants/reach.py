"""Which tests run which functions: a pytest plugin that notes it, and what was noted.

`pytest -p tests.mutants.reach` writes a file a process into the folder that FOLDER_VARIABLE names.
Tests that run the product in a process of their own reach nothing here.
"""

import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.mutants.mutations import Mutant
from tests.tools.recorder import Recorder

FOLDER_VARIABLE = "MUTANTS_REACH"
_ENGINE = "cnc_station.engine."  # the window's caches hold things of which there is only one
_CACHED = type(cache(len))


@dataclass(frozen=True, slots=True)
class Test:
    """One test that passes; `seconds` it took while it was recorded."""

    name: str
    seconds: float
    functions: frozenset[str]


class Reach:
    """The tests by the functions they run."""

    def __init__(self, tests: Iterable[Test]) -> None:
        self.count = 0
        self._by_function: dict[str, list[Test]] = defaultdict(list)
        self._by_file: dict[str, dict[str, Test]] = defaultdict(dict)
        for test in tests:
            self.count += 1
            for function in test.functions:
                self._by_function[function].append(test)
                self._by_file[function.partition(":")[0]][test.name] = test

    def tests_of(self, mutant: Mutant) -> list[Test]:
        """Those that run the mutant's function, then those that run anything else of its file: a
        statement that is built at import or kept in a cache serves many more tests than build it.
        Of each the ones that run least else come first."""
        first = self._by_function[f"{mutant.path}:{mutant.function}"]
        names = {test.name for test in first}
        others = [test for name, test in self._by_file[mutant.path].items() if name not in names]
        return sorted(first, key=_breadth) + sorted(others, key=_breadth)


def _breadth(test: Test) -> tuple[int, float]:
    return len(test.functions), test.seconds


def read(folder: Path) -> list[Test]:
    """What the plugin has written."""
    tests = []
    for file in sorted(folder.glob("*.json")):
        noted = json.loads(file.read_text(encoding="utf-8"))
        names = noted["functions"]
        for name, (seconds, ran) in noted["tests"].items():
            tests.append(Test(name, seconds, frozenset(names[at] for at in ran)))
    return tests


def write(tests: Iterable[Test], file: Path) -> None:
    """Write tests as one file that `read` understands."""
    numbers: dict[str, int] = {}
    noted = {}
    for test in tests:
        ran = [numbers.setdefault(name, len(numbers)) for name in sorted(test.functions)]
        noted[test.name] = (test.seconds, ran)
    text = json.dumps({"functions": list(numbers), "tests": noted})
    file.write_text(text, encoding="utf-8")


class _Plugin:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._recorder = Recorder()
        self._recorder.install()
        self._tests: list[Test] = []
        self._failed: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        _clear_caches()
        begun = time.monotonic()
        self._recorder.start()
        result = yield
        functions = self._recorder.stop()
        if item.nodeid not in self._failed:
            seconds = time.monotonic() - begun
            self._tests.append(Test(item.nodeid, seconds, frozenset(functions)))
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:  # a test that is skipped guards nothing either
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        write(self._tests, self._folder / f"{os.getpid()}.json")


def _clear_caches() -> None:
    """Have every test build anew what the engine keeps in caches, so that it is seen to."""
    for name, module in list(sys.modules.items()):
        if name.startswith(_ENGINE):
            for value in list(vars(module).values()):
                if isinstance(value, _CACHED):
                    value.cache_clear()


def pytest_configure(config: pytest.Config) -> None:
    """Start to note, where a folder is named."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        config.pluginmanager.register(_Plugin(Path(folder)))
