"""What reaches the log: repeated lines counted, and every exception that nobody caught."""

import logging
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType

WINDOW_S = 60.0
MOST_OF_A_PLACE = 100  # lines of one place in the code, within a window
MOST_REQUESTS = 6_000  # of HTTP, within a window: each has a line of its own
MOST_KEPT = 500  # different lines that are counted at the same time

HTTP = "http"  # the event of a request

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Count:
    record: logging.LogRecord
    begun: float
    limit: int
    seen: int = 0


_Counts = dict[tuple[object, ...], _Count]


class RepeatCounter(logging.Handler):
    """Passes records on to `handlers`: the same line once in `WINDOW_S`, and the lines of one place
    in the code at most `MOST_OF_A_PLACE` times. The others are counted in one line afterwards.
    Requests of HTTP repeat; they are limited by their number alone.

    Without this, a client that repeats an error would push everything else out of the log.
    """

    def __init__(
        self, handlers: list[logging.Handler], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__()
        self._handlers, self._clock = handlers, clock
        self._lines: _Counts = {}
        self._places: _Counts = {}

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._count_or_pass_on(record)
        except Exception:  # noqa: BLE001 - a line that cannot be worded, as of a number of 5,000 digits
            self.handleError(record)

    def _count_or_pass_on(self, record: logging.LogRecord) -> None:
        now = self._clock()
        self._report(now - WINDOW_S)
        error = record.exc_info[1] if record.exc_info else None
        place = (record.name, record.levelno, record.pathname, record.lineno)
        line = (*place, record.getMessage(), repr(error))
        is_request = vars(record).get("event") == HTTP
        most = MOST_REQUESTS if is_request else MOST_OF_A_PLACE
        if (is_request or self._counted(self._lines, line, _Count(record, now, 1))) and (
            self._counted(self._places, place, _Count(record, now, most))
        ):
            self._pass_on(record)

    def close(self) -> None:
        """Report what was counted since, and close the handlers."""
        self._report(self._clock())
        for handler in self._handlers:
            handler.close()
        super().close()

    def _counted(self, counts: _Counts, key: tuple[object, ...], new: _Count) -> bool:
        """Count a record. Return whether it is passed on."""
        if len(counts) >= MOST_KEPT and key not in counts:
            self._report_first(counts)
        count = counts.setdefault(key, new)
        count.seen += 1
        return count.seen <= count.limit

    def _report(self, until: float) -> None:
        """Report the counts that began before; they are the first ones."""
        for counts in (self._lines, self._places):
            while counts and next(iter(counts.values())).begun <= until:
                self._report_first(counts)

    def _report_first(self, counts: _Counts) -> None:
        count = counts.pop(next(iter(counts)))
        more = count.seen - count.limit
        if more <= 0:
            return
        seconds = max(1, round(self._clock() - count.begun))
        first = count.record
        words = f"{first.getMessage()} (repeated"
        if count.limit > 1:
            words = f"{first.module}, line {first.lineno} (more lines like {first.getMessage()!r}:"
        text = f"{words} {more:,} times within {seconds} s)"
        self._pass_on(
            logging.LogRecord(
                first.name, first.levelno, first.pathname, first.lineno, text, None, None
            )
        )

    def _pass_on(self, record: logging.LogRecord) -> None:
        for handler in self._handlers:
            handler.handle(record)


def log_uncaught() -> None:
    """Log each exception that nobody catches: in a slot of Qt, in a thread, in a destructor.

    The event loop logs those of its tasks and callbacks itself.
    """

    def of_the_program(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, Exception):
            log.error("an exception was not caught: %s", error, exc_info=(kind, error, trace))
        else:
            sys.__excepthook__(kind, error, trace)

    def of_a_thread(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None and issubclass(args.exc_type, Exception):
            name = args.thread.name if args.thread else "a thread"
            trace = (args.exc_type, args.exc_value, args.exc_traceback)
            log.error("an exception was not caught in %s: %s", name, args.exc_value, exc_info=trace)

    def of_a_destructor(args: "sys.UnraisableHookArgs") -> None:
        if args.exc_value is not None:
            trace = (args.exc_type, args.exc_value, args.exc_traceback)
            log.error("%s", args.err_msg or "an exception was not caught", exc_info=trace)

    sys.excepthook = of_the_program
    threading.excepthook = of_a_thread
    sys.unraisablehook = of_a_destructor
