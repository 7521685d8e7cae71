"""What every page is given: the door, notices, operations, navigation, and alerts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cnc_station.engine.door import Door
from cnc_station.engine.views import JobFilter
from cnc_station.ui.bridge import Bridge
from cnc_station.ui.operations import Operations

if TYPE_CHECKING:
    from cnc_station.ui.alerts.presenter import AlertPresenter


class Navigator(Protocol):
    """Where a page can take the person at the window."""

    def to_page(self, key: str) -> None:
        """Show a page by its key in the rail: floor, jobs, attention, settings …"""

    def to_jobs(self, chosen: JobFilter) -> None:
        """The job list, filtered."""

    def to_job(self, job_id: int) -> None:
        """A job's detail."""

    def to_attention(self, job_id: int) -> None:
        """A job that waits for a decision, on the Needs attention page."""

    def to_machine(self, machine_id: int) -> None:
        """A machine on the Machines page."""

    def to_program(self, sha256: str) -> None:
        """A program on the Programs page."""

    def to_dead_deliveries(self) -> None:
        """The deliveries that could not be made, on the Integrations page."""

    def to_backups(self) -> None:
        """The back-ups, on the Settings page."""

    def new_job(self, program: str | None = None) -> None:
        """The form for a new job."""

    def import_files(self) -> None:
        """Choose files to import: programs or tables of jobs."""

    def load_demo(self) -> None:
        """Open the demo day, in a database of its own where the window can change to one."""

    def open_shop(self) -> None:
        """Leave the demo day, or start again with changed settings. Does nothing where the window
        can't."""


@dataclass(frozen=True, slots=True)
class PageContext:
    """The context of a page. `now` is the wall clock (ms); tests and screenshots set it."""

    door: Door
    bridge: Bridge
    operations: Operations
    navigator: Navigator
    now: Callable[[], int]
    alerts: "AlertPresenter"


SLOW_LOOK_MS = 10_000  # a repeated look for what time alone changes: no notice reports that

THEME = "ui.theme"
DENSITY = "ui.density"
OPERATOR = "ui.operator"
WELCOMED = "ui.welcomed"
TARGET_PER_HOUR = "floor.target_per_hour"
