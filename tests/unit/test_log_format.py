import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from cnc_station import config
from cnc_station.cli.window import FILE_NAME, start_log

FORGED = "gone\n2026-11-30 12:00:00,000 INFO all is well\x1b[2J\u202e"


@contextmanager
def logging_into(folder: Path, *, aloud: bool) -> Iterator[logging.Logger]:
    """A logger of a station, without the handlers of the test runner."""
    root = logging.getLogger()
    before, root.handlers = root.handlers, []
    try:
        start_log(replace(config.load({}), data_folder=folder), aloud=aloud)
        yield logging.getLogger("shop")
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers = before


def test_a_log_record_is_one_line_whatever_it_quotes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with logging_into(tmp_path, aloud=True) as log:
        log.warning("machine %s", FORGED)
        try:
            raise ValueError(FORGED)
        except ValueError:
            log.exception("a bug")
    lines = (tmp_path / FILE_NAME).read_text("utf-8").splitlines()
    assert lines[0].endswith(
        "machine gone\\x0a2026-11-30 12:00:00,000 INFO all is well\\x1b[2J\\u202e"
    )
    assert lines[1].endswith("a bug")
    assert all(line.startswith("    ") for line in lines[2:])
    assert "Traceback" in lines[2]
    aloud = capsys.readouterr().err
    assert len(aloud.splitlines()) == 2
    assert not {"\x1b", "\u202e"} & set(aloud + "".join(lines))


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    with logging_into(tmp_path, aloud=False) as log:
        log.warning("x" * 10**6)
    text = (tmp_path / FILE_NAME).read_text("utf-8")
    assert text.endswith("xx…\n")
    assert len(text) < 5_000
