"""False GRBL controllers in a process of their own: only the product is measured beside them."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from cnc_station.engine.domain.machine import MachineSpec
from tests.e2e.grbl_routers import Router, router_machine

_LOOK_S = 0.002


@dataclass(frozen=True, slots=True)
class RouterState:
    """`rests` counts how often it came to rest because nothing was queued, `longest_pause_s` is the
    longest time between two looks at moving axes."""

    taken: int
    rests: int
    moving: bool
    longest_pause_s: float


class RoutersApart:
    """The test's end of the process."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._asking, self._answers = process.stdin, process.stdout
        self._ports: Sequence[str] = json.loads(self._answers.readline())

    def machines(self) -> list[MachineSpec]:
        """Return them as machines of a shop."""
        return [router_machine(f"Router {at}", port) for at, port in enumerate(self._ports, 1)]

    def states(self) -> list[RouterState]:
        """Return what each of them is doing."""
        self._asking.write("\n")
        self._asking.flush()
        return [RouterState(**each) for each in json.loads(self._answers.readline())]


@contextmanager
def routers_apart(folder: Path, kinds: Sequence[str]) -> Iterator[RoutersApart]:
    """Start a router of each kind ("hal" on TCP, "grbl" on a serial port) until the end."""
    command = [sys.executable, "-m", "tests.e2e.routers_apart", str(folder), *kinds]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield RoutersApart(process)
        finally:
            process.kill()


class _Watched:
    """A router, and how steadily it moves."""

    def __init__(self, router: Router) -> None:
        self.router = router
        self._pause_s = 0.0

    async def watch(self) -> None:
        moved = 0.0
        while True:
            now = time.monotonic()
            if self.router.fake.axes.moving:
                if moved:
                    self._pause_s = max(self._pause_s, now - moved)
                moved = now
            await asyncio.sleep(_LOOK_S)

    def state(self) -> RouterState:
        axes = self.router.fake.axes
        return RouterState(len(self.router.fake.taken), axes.rests, axes.moving, self._pause_s)


async def _serve(folder: Path, kinds: Sequence[str]) -> None:
    watched = [_Watched(Router(folder, hal=kind == "hal")) for kind in kinds]
    for each in watched:
        await each.router.wire.put_back()
    watching = [asyncio.create_task(each.watch()) for each in watched]
    print(json.dumps([each.router.wire.port for each in watched]), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(json.dumps([asdict(each.state()) for each in watched]), flush=True)
    for task in watching:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), sys.argv[2:]))
