"""The long campaigns by name. Each ends with figures and a list of violations, whatever happens."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from tests.faults import generated_requests, webhooks, websocket
from tests.faults.campaign import Campaign, Figures
from tests.faults.failure import failure
from tests.faults.fleet import campaign as fleet
from tests.faults.fleet import handlers, leaders

KILLS = 200


class Outcome(Protocol):
    """A dataclass of figures."""

    violations: list[str]

    def lines(self) -> Iterator[str]: ...


@dataclass(slots=True)
class Failed:
    """The campaign itself could not go on."""

    violations: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        yield from self.violations


def _station(seed: int, scale: float) -> Figures:
    """One station, killed at random moments."""
    with tempfile.TemporaryDirectory(prefix="cnc-faults-") as folder:
        return Campaign(Path(folder), kills=max(5, round(KILLS * scale)), seed=seed).run()


def _webhooks(seed: int, scale: float) -> webhooks.Outcome:
    """One station that tells a receiver."""
    with tempfile.TemporaryDirectory(prefix="cnc-faults-") as folder:
        return webhooks.run(seed, scale, Path(folder))


CAMPAIGNS: dict[str, Callable[[int, float], Outcome]] = {
    "station": _station,
    "fleet": fleet.run,
    "schedules": leaders.run,
    "handlers": handlers.run,
    "webhooks": _webhooks,
    "websocket": websocket.run,
    "requests": generated_requests.run,
}


def run(name: str, seed: int, scale: float) -> Outcome:
    """Never raises: what goes wrong in the campaign itself is a violation."""
    try:
        return CAMPAIGNS[name](seed, scale)
    except Exception as error:  # noqa: BLE001 - it is reported with the seed, as a violation
        return Failed([failure(error)])
