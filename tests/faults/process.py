"""A station in a process of its own, forked where everything is imported already, to be killed."""

import asyncio
import logging
import multiprocessing
import os
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from multiprocessing.context import ForkServerProcess

from cnc_station.config import Config

START_S = 60.0  # a loaded computer takes its time


class StationProcess:
    """`prepare` is called in the process before the engine starts; `log` gets its warnings."""

    def __init__(self, config: Config, log: str, prepare: Callable[[], None]) -> None:
        self._pipe, theirs = _CONTEXT.Pipe(duplex=False)
        self._process: ForkServerProcess = _CONTEXT.Process(
            target=_work, args=(config, log, prepare, theirs), daemon=True
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def wait_until_at_work(self) -> None:
        assert self._pipe.poll(START_S), "the station does not start"
        assert self._pipe.recv() == "at work"

    def kill(self) -> int:
        """As a power cut would end it; returns its process id."""
        pid = self.pid
        self._process.kill()
        self._process.join()
        self._pipe.close()
        return pid


def _work(config: Config, log: str, prepare: Callable[[], None], pipe: Pipe) -> None:
    from cnc_station.engine.engine import StationEngine  # noqa: PLC0415 - in the child alone

    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.basicConfig(filename=log, level=logging.WARNING)
    prepare()

    async def work() -> None:
        engine = StationEngine(config)
        await engine.start()
        pipe.send("at work")
        await asyncio.Event().wait()

    asyncio.run(work())


def _end_with_parent() -> None:
    """A campaign whose time is up ends at once, and looks after nothing."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    ["pytest", "cnc_station.engine.engine", "alembic.command", "tests.faults.process"]
)
