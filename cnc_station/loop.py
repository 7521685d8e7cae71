"""The asyncio loop on Qt's event loop: that of qasync, with some parts replaced.

qasync provides what Qt needs for sockets, subprocesses and Windows. Replaced here: how callbacks
and timers are stored and run. One queue holds ready callbacks, one heap holds timers, and one
precise QTimer wakes the loop for both. A slice of work lasts at most 4 ms, then Qt gets its turn.

What must hold: callbacks run in the order of their scheduling, from any thread; a timer is never
early, at any distance; a cancelled timer is removed; no callback runs inside another one, or while
the loop does not run.
"""

import asyncio
import functools
import heapq
import itertools
import logging
import math
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from types import TracebackType
from typing import Any, TypeVar

from PySide6.QtCore import QCoreApplication, QObject, Qt, QTimer, Signal
from PySide6.QtWidgets import QApplication

from cnc_station.engine.timing import SWITCH_S
from cnc_station.garbage import Collector

os.environ["QT_API"] = "pyside6"
import qasync  # after QT_API, which selects its Qt binding

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_SLICE = 0.004
"""Seconds of callbacks before Qt gets its turn: a quarter of a frame."""

_LONGEST_WAIT = 86_400.0
"""Seconds. QTimer's milliseconds end at 24.8 days; longer timers are checked once a day."""

_AT_ONCE = 0.0
_NEVER = math.inf
_NOT_NEEDED = -math.inf
_STOPPED = -1


class _Waker(QObject):
    """Sends a wake-up from any thread to the thread of the loop."""

    wanted = Signal()


class ApplicationLoop(qasync.QEventLoop):  # type: ignore[misc] # - qasync ships no types
    """An asyncio loop on the QApplication. Create it with `application_loop()`."""

    # Where qasync has its own version and asyncio's is right: a thread pool that `Runner` shuts
    # down, timers relative to `call_at`, one exception handler that can be queried.
    call_later = asyncio.BaseEventLoop.call_later
    run_until_complete = asyncio.BaseEventLoop.run_until_complete
    run_in_executor = asyncio.BaseEventLoop.run_in_executor
    set_default_executor = asyncio.BaseEventLoop.set_default_executor
    set_exception_handler = asyncio.BaseEventLoop.set_exception_handler
    call_exception_handler = asyncio.BaseEventLoop.call_exception_handler
    default_exception_handler = asyncio.BaseEventLoop.default_exception_handler

    _current_handle: asyncio.Handle | None
    _thread_id: int | None

    def __init__(self, app: QApplication) -> None:
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._tickets = itertools.count()  # timers of the same moment keep their order
        self._cancellations = 0  # cancelled timers since the heap was last cleaned
        self._wake_at = _NOT_NEEDED  # the time of the alarm, in this loop's time
        self._looping = False
        self._nested = False
        self._stop_asked: asyncio.Handle | None = None
        self._fatal: BaseException | None = None

        self._alarm = QTimer()
        self._alarm.setTimerType(Qt.TimerType.PreciseTimer)
        self._alarm.timeout.connect(self._run_slice)
        self._alarm_ms = _STOPPED
        self._waker = _Waker()
        self._waker.wanted.connect(self._wake, Qt.ConnectionType.QueuedConnection)
        super().__init__(app)

    # --- scheduling ---

    def call_soon(
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Run the callback after all that already wait, never within this call."""
        self._check_thread()  # a QTimer started from another one never fires
        handle = asyncio.BaseEventLoop.call_soon(self, callback, *args, context=context)
        if self._wake_at > _AT_ONCE:
            self._wake()
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """Like `call_soon`, from any thread, in the same queue."""
        if threading.get_ident() == self._thread_id:
            return self.call_soon(callback, *args, context=context)
        self._check_closed()
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        self._waker.wanted.emit()
        return handle

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: Any,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Run the callback when `time()` has reached `when`, at any distance."""
        self._check_closed()
        self._check_thread()
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._timers, (when, next(self._tickets), timer))
        if when < self._wake_at:
            self._wake_for(when)
        return timer

    def _timer_handle_cancelled(self, timer: asyncio.TimerHandle) -> None:
        """Count a timer just before it is cancelled. At most half of the heap is cancelled
        timers."""
        self._cancellations += 1
        if self._cancellations * 2 > len(self._timers):
            self._cancellations = 0
            self._timers = [
                entry
                for entry in self._timers
                if entry[2] is not timer and not entry[2].cancelled()
            ]
            heapq.heapify(self._timers)

    def _add_callback(self, handle: asyncio.Handle) -> None:
        self._ready.append(handle)
        self._wake()

    # --- waking up ---

    # The handler of a signal can run between any two instructions here. So the alarm is set first
    # and recorded afterwards. A wake-up that the handler requests in between may be lost, but the
    # byte with which `_hooked` lets signals wake Qt is then treated as new.

    def _wake(self) -> None:
        if self._wake_at > _AT_ONCE:
            self._set_alarm(0)
            self._wake_at = _AT_ONCE

    def _wake_for(self, when: float) -> None:
        wait = min(max(0.0, when - self.time()), _LONGEST_WAIT)
        self._set_alarm(math.ceil(wait * 1000))
        self._wake_at = when

    def _set_alarm(self, ms: int) -> None:
        if ms or self._alarm_ms:  # at 0 it already fires at every turn of Qt's loop
            self._alarm.start(ms)
            self._alarm_ms = ms

    def _stop_alarm(self) -> None:
        self._alarm.stop()
        self._alarm_ms = _STOPPED

    # --- running ---

    def _run_slice(self) -> None:
        if self._current_handle is not None:
            self._break_nested_loop()
            return
        self._wake_at = _NOT_NEEDED
        self._alarm_ms = 0
        # A QTimer does not fire within itself, so it is started again: this detects nesting.
        self._alarm.start(0)
        try:
            self._run_ready()
        except (KeyboardInterrupt, SystemExit) as error:
            self._fatal = error  # would be printed and lost in a Qt slot
            self._quit()
        finally:
            self._current_handle = None
        if self._looping:
            self._set_next_alarm()

    def _run_ready(self) -> None:
        now = self.time()
        self._collect_due(now)
        end = now + _SLICE
        ready = self._ready
        while ready and now < end and self._looping:
            handle = ready.popleft()
            if handle._cancelled:  # noqa: SLF001 - asyncio's own loop asks it so, for speed
                continue
            self._current_handle = handle
            handle._run()  # noqa: SLF001 - the one way to run a handle
            before, now = now, self.time()
            if self._debug and now - before >= self.slow_callback_duration:
                _log.warning("%r took %.3f seconds", handle, now - before)
            del handle  # the traceback of an error leads to this frame, and from here to its task

    def _collect_due(self, now: float) -> None:
        timers = self._timers
        while timers and timers[0][0] <= now:
            timer = heapq.heappop(timers)[2]
            if not timer.cancelled():
                self._ready.append(timer)

    def _set_next_alarm(self) -> None:
        if self._ready:
            self._set_alarm(0)
            self._wake_at = _AT_ONCE
        elif self._timers:
            self._wake_for(self._timers[0][0])
        else:
            self._stop_alarm()
            self._wake_at = _NEVER

    def _break_nested_loop(self) -> None:
        """End a Qt loop that a callback opened within this one, report it, and lose nothing.

        While such a loop runs no other callback can run: leases would expire and machines would not
        be watched.
        """
        if not self._nested:
            self._nested = True
            *stack, opened, _, _ = traceback.extract_stack()
            self.call_exception_handler(
                {
                    "message": f"nested Qt event loop at {opened.filename}:{opened.lineno} ended by"
                    " force: await a future instead of exec(), processEvents() or qtbot.wait*()",
                    "callback": self._current_handle,
                    "source_traceback": [*stack, opened],
                }
            )
        QCoreApplication.exit()  # every loop of this thread; `run_forever` restarts its own

    def run_forever(self) -> None:
        """Run until `stop()`, or until Qt itself quits.

        Raises the KeyboardInterrupt or SystemExit that a callback has raised.
        """
        self._check_closed()
        self._check_running()
        self._looping = True
        try:
            with self._hooked():
                self._set_next_alarm()
                super().run_forever()
                while self._nested and self._looping:
                    self._nested = False
                    super().run_forever()
        finally:
            self._rest()
        if self._fatal is not None:
            fatal, self._fatal = self._fatal, None
            raise fatal

    def _rest(self) -> None:
        self._looping = self._nested = False
        self._wake_at = _NOT_NEEDED
        self._stop_alarm()
        if self._stop_asked is not None:
            self._stop_asked.cancel()
            self._stop_asked = None

    @contextmanager
    def _hooked(self) -> Iterator[None]:
        """Set up what asyncio sets up around its loop and qasync does not.

        A signal such as Ctrl-C must wake Qt, otherwise Python sees it only at the next event. What
        it then raises in a slot, Qt would print and discard.
        """
        excepthook = sys.excepthook
        sys.excepthook = functools.partial(self._raised_in_a_slot, excepthook)
        generators = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._asyncgen_firstiter_hook, self._asyncgen_finalizer_hook)
        wakeup = -1
        if os.name == "posix":
            wakeup = signal.set_wakeup_fd(self._csock.fileno(), warn_on_full_buffer=False)
        self._thread_id = threading.get_ident()
        try:
            yield
        finally:
            self._thread_id = None
            if os.name == "posix":
                signal.set_wakeup_fd(wakeup)
            sys.set_asyncgen_hooks(*generators)
            sys.excepthook = excepthook

    def _raised_in_a_slot(
        self,
        otherwise: Callable[[type[BaseException], BaseException, TracebackType | None], object],
        kind: type[BaseException],
        error: BaseException,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, Exception | asyncio.CancelledError):
            otherwise(kind, error, trace)
        else:  # Ctrl-C, or the time limit of a test: raised to the caller of the loop
            self._fatal = error
            self._quit()

    # --- ending ---

    def stop(self) -> None:
        """End `run_forever` after all ready callbacks have run. Later ones stay queued."""
        if self._stop_asked is None:
            self._stop_asked = self.call_soon(self._quit)

    def _quit(self) -> None:
        self._looping = False
        super().stop()

    def close(self) -> None:
        """Release all resources. Does nothing the second time; raises while the loop runs."""
        super().close()
        self._stop_alarm()
        self._timers.clear()


@functools.cache
def application() -> QApplication:
    """Return the one QApplication, created if needed and kept until the process ends.

    Closing the last window does not quit it: the program shuts down in order first. From here on
    garbage is collected on this thread only.
    """
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(sys.argv[:1])
    app.setQuitOnLastWindowClosed(False)
    Collector(app)
    return app


def application_loop() -> ApplicationLoop:
    """Create a loop on the application, for `asyncio.Runner(loop_factory=...)`. Close it after
    use."""
    return ApplicationLoop(application())


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """Run `main` on a new application loop to its end. Return or raise its result.

    Then, in this order: remaining tasks are logged, cancelled and awaited, async generators and the
    thread pool are shut down, the loop is closed. Ctrl-C cancels `main` first.
    """
    sys.setswitchinterval(SWITCH_S)
    with asyncio.Runner(loop_factory=application_loop) as runner:
        try:
            return runner.run(main)
        finally:
            for task in asyncio.all_tasks(runner.get_loop()):
                _log.warning("left running at the end: %r", task)
