"""The form of log lines: one record cannot forge the line of another, nor control a terminal."""

import logging
from typing import Any

from cnc_station.engine.domain.text_gate import visible

_MOST = 4_000  # characters of one message
_CONTINUED = "\n    "


class LogLines(logging.Formatter):
    """One line for each record. The lines of a traceback follow it indented."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        record.message = visible(record.message, _MOST)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - likewise
        return _continued(super().formatException(ei))

    def formatStack(self, stack_info: str) -> str:  # noqa: N802 - likewise
        return _continued(super().formatStack(stack_info))


class LogSentences(logging.Formatter):
    """One line for each record, without a traceback, for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        message = visible(record.getMessage(), _MOST)
        return f"{self.formatTime(record)} {record.levelname} {message}"


def _continued(text: str) -> str:
    return "    " + visible(text, lines=True).replace("\n", _CONTINUED)
