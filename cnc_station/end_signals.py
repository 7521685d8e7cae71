"""SIGINT and SIGTERM ask a program with a window to end in order."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any


class EndSignals:
    """Notes the first SIGINT or SIGTERM at any instant. A second SIGINT raises KeyboardInterrupt.

    The first one raises nothing: Python discards an exception that is raised in a callback of Qt,
    in a finalizer, or while a module in C imports another one, and the signal would be lost.
    """

    def __init__(self) -> None:
        self.asked = False
        self._tell: Callable[[], object] | None = None
        self._before: dict[signal.Signals, Any] = {}

    def tell(self, tell: Callable[[], object]) -> None:
        """Call `tell` when a signal comes, and at once if one has come. It must not raise, and may
        run between any two instructions of the main thread."""
        self._tell = tell
        if self.asked:
            tell()

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        if self.asked and number == signal.SIGINT:
            raise KeyboardInterrupt
        self.asked = True
        if self._tell is not None:
            self._tell()

    def __enter__(self) -> "EndSignals":
        """Hear them from now on. Called on the main thread."""
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Handle them as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler or signal.SIG_DFL)
