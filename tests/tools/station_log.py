"""The log of a station, as its process sets it up."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cnc_station import config
from cnc_station.cli.station_log import start_log
from cnc_station.logs.job_events import sinks


@contextmanager
def logging_into(folder: Path, *, aloud: bool, form: str = "text") -> Iterator[logging.Logger]:
    """A logger of a station, without the handlers of the test runner."""
    root = logging.getLogger()
    before, root.handlers, level = root.handlers, [], root.level
    settings = replace(config.load({}), data_folder=folder, station="A", log_form=form)
    try:
        start_log(settings, aloud=aloud)
        yield logging.getLogger("shop")
    finally:
        sinks.clear()
        for handler in root.handlers:
            handler.close()
        root.handlers = before
        root.setLevel(level)


def logged(folder: Path) -> list[dict[str, Any]]:
    text = (folder / "logs" / "A.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.splitlines()]


def told(data_folder: Path) -> str:
    """All that the stations of a data folder have logged; "" before the first line."""
    return "".join(path.read_text("utf-8") for path in (data_folder / "logs").glob("*.jsonl"))
