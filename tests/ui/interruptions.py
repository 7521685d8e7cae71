"""A process of its own: SIGINT at each instruction by which the loop goes to rest, one by one.

Prints how many it has tried. It hangs if one of them does not wake the loop.
"""

import asyncio
import contextlib
import itertools
import signal
import sys
from collections.abc import Awaitable, Callable
from types import FrameType
from typing import Any

from PySide6.QtCore import QAbstractEventDispatcher

from cnc_station import loop as tried


class Interruption:
    """SIGINT at the given instruction of the loop from `begin()` on; at rest if it has fewer."""

    def __init__(self, instruction: int) -> None:
        self.at_rest = False
        self._left = instruction

    def begin(self) -> None:
        QAbstractEventDispatcher.instance().aboutToBlock.connect(self._rest)
        sys.settrace(self._trace)
        frame: FrameType | None = sys._getframe()  # what already runs is traced too
        while frame is not None:
            frame.f_trace = self._trace(frame, "call", None)
            frame = frame.f_back

    def end(self) -> None:
        sys.settrace(None)
        QAbstractEventDispatcher.instance().aboutToBlock.disconnect(self._rest)

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != tried.__file__:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self._left -= 1
            if self._left == 0:
                self._interrupt()
        return self._trace

    def _rest(self) -> None:
        if self._left > 0:
            self.at_rest = True
            self._interrupt()

    def _interrupt(self) -> None:
        self._left = 0
        signal.raise_signal(signal.SIGINT)


async def _interrupted(interruption: Interruption, wait: Callable[[], Awaitable[object]]) -> None:
    interruption.begin()
    try:
        await wait()
    finally:
        interruption.end()


def instructions_tried(wait: Callable[[], Awaitable[object]]) -> int:
    """Interrupts the loop on its way into `wait`, from its first instruction to its rest."""
    for instruction in itertools.count(1):
        interruption = Interruption(instruction)
        with contextlib.suppress(KeyboardInterrupt):
            tried.run(_interrupted(interruption, wait))
            raise AssertionError(f"not interrupted at instruction {instruction}")
        if interruption.at_rest:
            return instruction
    raise AssertionError("never at rest")


if __name__ == "__main__":
    print(instructions_tried(lambda: asyncio.sleep(3600)))
    print(instructions_tried(lambda: asyncio.Event().wait()))
