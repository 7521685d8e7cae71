"""The board in a real browser."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome, ChromeOptions, ChromeService
from selenium.webdriver.common.by import By

from cnc_station.config import Config
from cnc_station.engine.commands import AddMachine, SubmitJobs
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.machine import MachineSpec
from cnc_station.engine.engine import StationEngine
from cnc_station.web.server import WebServer
from tests.until import until

pytestmark = pytest.mark.xdist_group("browser")
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-sync", "--disable-background-networking", "--disable-component-update"),
    "--hide-scrollbars",
)


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[StationEngine]:
    config = Config(tmp_path, f"sqlite:///{tmp_path / 'station.db'}", station="Hall 1")
    made = StationEngine(config)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Chrome]:
    if not (driver := shutil.which("chromedriver")):
        pytest.skip("Debian's chromium-driver is not installed")
    options = ChromeOptions()
    for argument in (*QUIET, f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1920,1080"):
        options.add_argument(argument)
    made = Chrome(options, ChromeService(driver))
    yield made
    made.quit()


@asynccontextmanager
async def _shown(browser: Chrome, engine: StationEngine) -> AsyncIterator[WebServer]:
    """The board of an engine, on the screen."""
    server = WebServer(engine.local_door)
    port = await server.start("127.0.0.1", 0)
    await asyncio.to_thread(browser.get, f"http://127.0.0.1:{port}/board")
    yield server
    await server.stop()


async def _says(browser: Chrome, place: str, words: str) -> None:
    await until(lambda: asyncio.to_thread(partial(_has, browser, place, words)))


def _has(browser: Chrome, place: str, words: str) -> bool:
    try:
        return words in browser.find_element(By.CSS_SELECTOR, place).text
    except StaleElementReferenceException:
        return False


def _mill(name: str) -> AddMachine:
    return AddMachine(MachineSpec(name=name, machine_type="mill"))


async def test_the_board_follows_the_shop_and_says_when_it_is_cut_off(
    browser: Chrome, engine: StationEngine
) -> None:
    door = engine.local_door
    async with _shown(browser, engine) as server:
        await _says(browser, "#machines", "There is no machine yet.")
        await _says(browser, "#needs-list", "Nothing waits for a person.")
        await door.execute(_mill("<i>Mill</i> 1"))
        await _says(browser, "#machines", "<i>Mill</i> 1")
        hidden = "Object.defineProperty(document, 'hidden', {value: true})"
        await asyncio.to_thread(browser.execute_script, hidden)  # from here on it is told
        flange = JobSpec("Flange", "mill", estimated_s=3600)
        await door.execute(SubmitJobs((flange, flange)))
        await _says(browser, "#machines", "Running")
        await _says(browser, "#machines", "Flange")
        await _says(browser, "#next-list", "Flange")
        await until(lambda: asyncio.to_thread(_has, browser, "#counts", "Running\n1"))
        await server.stop()
        await _says(browser, "#link", "No word from the station since")


@pytest.mark.parametrize("size", [(1920, 1080), (3840, 2160)])
async def test_thirty_machines_fit_on_one_screen_without_a_cut_card(
    browser: Chrome, engine: StationEngine, size: tuple[int, int]
) -> None:
    for number in range(30):
        await engine.local_door.execute(_mill(f"Mill {number + 1}"))
    browser.set_window_size(*size)
    async with _shown(browser, engine):
        await _says(browser, "#machines", "Mill 30")
        lowest, width, height = await asyncio.to_thread(
            browser.execute_script,
            "const last = document.querySelector('#machines').lastElementChild;"
            "return [last.getBoundingClientRect().bottom, document.documentElement.scrollWidth,"
            " innerHeight]",
        )
    assert lowest <= height
    assert width <= size[0]


async def test_a_phone_shows_everything_below_each_other(
    browser: Chrome, engine: StationEngine
) -> None:
    await engine.local_door.execute(_mill("Mill 1"))
    browser.set_window_size(500, 844)  # the narrowest that a headless window may be
    async with _shown(browser, engine):
        await _says(browser, "#machines", "Mill 1")
        tops, width = await asyncio.to_thread(
            browser.execute_script,
            "return [[...document.querySelectorAll('section')].map(one =>"
            " one.getBoundingClientRect().top), document.documentElement.scrollWidth]",
        )
    assert tops == sorted(tops)
    assert len(set(tops)) == 3
    assert width <= 500
