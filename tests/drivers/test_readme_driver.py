"""The driver on the page about drivers fulfils the contract of `Driver`."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station.engine.drivers import base
from tests.drivers import example_driver
from tests.drivers.conformance import Bench, StartingDriver
from tests.drivers.example_controller import example_controller
from tests.drivers.watched import order

README = Path(base.__file__).with_name("README.md")
MOST_LINES = 60


class TestExample(StartingDriver):
    """With its own controller."""

    @pytest.fixture
    async def bench(self, silent_port: int) -> AsyncIterator[Bench]:
        async with example_controller() as port:
            driver, nowhere = (example_driver.KIND.make({"port": p}) for p in (port, silent_port))
            short = replace(order(), estimated_s=2.0)
            yield Bench(driver, nowhere, short, replace(order(8), estimated_s=60.0))


def test_the_readme_shows_this_driver_in_sixty_lines_of_code() -> None:
    code = Path(example_driver.__file__).read_text()
    assert len([line for line in code.splitlines() if line.strip()]) <= MOST_LINES
    assert code.strip() in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)[0]
