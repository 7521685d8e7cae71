"""Changing between the shop and the demo day in one window, and what the demo leaves behind."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from cnc_station.cli.window import own_demo
from cnc_station.config import Config
from cnc_station.desktop_main import main
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import CountJobs, ListMachines, ListPrograms
from cnc_station.engine.views import JobFilter
from cnc_station.opening import Data, Opening
from cnc_station.ui.background import Background
from cnc_station.ui.first_run.demo_bar import DemoBar
from cnc_station.ui.first_run.first_run import FirstRun
from cnc_station.ui.frame import Frame
from cnc_station.ui.main_window import MainWindow
from cnc_station.ui.pages.floor import FloorPage
from tests.until import until


@asynccontextmanager
async def at_work(
    opening: Opening, reopen: Callable[[Data], Opening]
) -> AsyncIterator[tuple[MainWindow, "asyncio.Task[int | Opening]"]]:
    """A station with its window, as the program runs it; ends when it opens something else."""
    frame, closing = Frame(), asyncio.Event()
    frame.window.close_requested.connect(closing.set)
    frame.window.show()
    background = Background(frame.window)
    running = asyncio.create_task(main(opening, frame, background, closing, (), reopen))
    await until(lambda: frame.context is not None or running.done())
    try:
        yield frame.window, running
    finally:
        closing.set()
        await running
        frame.window.finish()
        frame.window.deleteLater()


async def test_the_demo_day_is_left_without_a_trace_and_the_shop_asks_its_question_again(
    config: Config,
) -> None:
    asked: list[Data] = []

    def reopen(data: Data) -> Opening:
        asked.append(data)
        return own_demo(config) if data is Data.DEMO else Opening(config)

    async with at_work(Opening(config), reopen) as (window, running):
        await until(lambda: window.findChild(FirstRun))
        first = window.findChild(FirstRun)
        assert isinstance(first, FirstRun)
        assert window.findChild(DemoBar) is None
        first.question.demo_choice.click()
        demo = await running
    assert isinstance(demo, Opening)
    path = demo.config.database_path
    assert path is not None
    assert path != config.database_path
    async with at_work(demo, reopen) as (window, running):
        await until(lambda: window.findChild(DemoBar))
        await until(lambda: path.with_name(path.name + "-wal").exists())
        bar = window.findChild(DemoBar)
        assert isinstance(bar, DemoBar)
        assert window.findChild(FirstRun) is None
        await until(partial(works, window))
        bar.leave.click()
        shop = await running
    assert asked == [Data.DEMO, Data.SHOP]
    assert isinstance(shop, Opening)
    assert not path.exists()
    assert not path.with_name(path.name + "-wal").exists()
    engine = StationEngine(shop.config)
    await engine.start()
    door = engine.local_door
    assert await door.ask(ListMachines()) == ()
    assert await door.ask(ListPrograms()) == ()
    assert (await door.ask(CountJobs(JobFilter()))).by_state == {}
    await engine.stop()


def works(window: MainWindow) -> bool:
    """Whether the demo's jobs are on the floor."""
    page = window.page("floor")
    assert isinstance(page, FloorPage)
    return page.feed.card(1) is not None


async def test_without_another_database_to_open_the_demo_is_not_marked(config: Config) -> None:
    opening = own_demo(config)
    async with at_work(Opening(opening.config), lambda _data: opening) as (window, _):
        await until(lambda: window.findChild(FirstRun))
        assert window.findChild(DemoBar) is None
