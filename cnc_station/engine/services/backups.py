"""Make the daily back-up, thin out older ones, and report when there is none of the last day."""

import asyncio
import datetime as dt
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from cnc_station.config import Config
from cnc_station.engine.backup.folder import list_backups, thin_out
from cnc_station.engine.backup.making import Made, back_up, series
from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.backup import DAY_MS, DEFAULT_TIME, OLD_MS, clock_of, due_at
from cnc_station.engine.domain.errors import CncStationError, Conflict, Unavailable
from cnc_station.engine.domain.notice import Topic, local, one_of
from cnc_station.engine.domain.time_text import clock
from cnc_station.engine.own_thread import on_own_thread
from cnc_station.engine.services.context import ServiceContext
from cnc_station.engine.services.service import Service
from cnc_station.engine.store.settings import settings
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Link
from cnc_station.engine.views.backups import BackupRow, Backups

log = logging.getLogger(__name__)

LINK = "backup"
FOLDER, CLOCK = "backup.folder", "backup.time"  # of the settings that the window changes
LOOK_S = 600.0  # between two looks into the folder; the wall clock may be set meanwhile
RETRY_S = 900.0  # after a failure
_LIST_S = 60.0
_TELL_S = 0.25
_CLOCKS_APART_MS = 300_000


@dataclass(frozen=True, slots=True)
class Plan:
    """Where back-ups are made by themselves, and at which time of the day. `fixed`: as the settings
    outside the window say."""

    folder: Path | None
    clock: str
    fixed: bool


def plan_of(config: Config, stored: Mapping[str, Any]) -> Plan:
    """Return the plan: the settings of the station go before those of the window."""
    at = config.backup_time or _stored_clock(stored.get(CLOCK))
    if config.backup_folder is not None:
        return Plan(config.backup_folder, at, fixed=True)
    folder = stored.get(FOLDER)
    named = Path(folder) if isinstance(folder, str) and folder else None
    return Plan(named, at, fixed=False)


def _stored_clock(value: object) -> str:
    try:
        return clock_of(str(value))
    except ValueError:
        return DEFAULT_TIME


def _newest(rows: Sequence[BackupRow]) -> int | None:
    """Return the time of the newest back-up. One from the future was made with a wrong clock, and
    must not keep others from being made."""
    return next((row.at for row in rows if row.at <= now_ms() + _CLOCKS_APART_MS), None)


def _is_old(newest: int | None) -> bool:
    return newest is None or now_ms() - newest > OLD_MS


class _Stopped(CncStationError):
    """The station stops: the back-up is given up."""


class DailyBackups(Service):
    """Every station looks into the folder; the one that leads makes the daily back-up and reports
    that there is none."""

    wakes_on = (one_of(t.SETTINGS_CHANGED, t.LEADER_CHANGED),)

    def __init__(self, context: ServiceContext, leads: Callable[[], bool]) -> None:
        super().__init__()
        self._context = context
        self._config = context.config
        self._leads = leads
        self._known = Backups()
        self._since = now_ms()  # there may have been no back-up from then on
        self._not_before = 0.0  # of the next attempt
        self._told_at = 0.0
        self._stopping = False

    @property
    def known(self) -> Backups:
        """What is known without looking again."""
        return self._known

    def link(self) -> Link | None:
        """Return what is wrong if a back-up is overdue."""
        known = self._known
        if not known.overdue:
            return None
        zone = self._zone()
        if (since := _newest(known.rows)) is not None:
            said = f"the newest one is of {clock(since, now_ms(), zone)}"
        else:
            since, said = self._since, "" if known.fault else "there is none in the folder"
        return Link(LINK, "degraded", since, ". ".join(filter(None, (said, known.fault))))

    async def start(self) -> None:
        self._stopping = False
        await super().start()

    async def stop(self) -> None:
        self._stopping = True
        await super().stop()

    async def run_once(self) -> float:
        """Look into the folder, and make the daily back-up if it is due."""
        plan = await self._look()
        if plan.folder is None or not self._leads():
            return LOOK_S
        due = due_at(plan.clock, now_ms(), self._zone())
        newest = _newest(self._known.rows)
        if newest is None or newest < due:
            left_s = self._not_before - time.monotonic()
            if left_s > 0:
                return min(left_s, LOOK_S)
            try:
                made = await self.make()
                log.info("the daily back-up was made: %s", made.path)
            except CncStationError as error:
                self._not_before = time.monotonic() + RETRY_S
                log.warning("the daily back-up could not be made: %s", error)
                return min(RETRY_S, LOOK_S)
        return min(max((due + DAY_MS - now_ms()) / 1000, 1.0), LOOK_S)

    async def make(self) -> Made:
        """Make a back-up now. Raises Conflict, Unavailable."""
        plan = await self._plan()
        folder = plan.folder
        if folder is None:
            raise Conflict("No folder for back-ups is chosen.")
        if self._known.part is not None:
            raise Conflict("A back-up is being made at the moment.")
        loop = asyncio.get_running_loop()

        def report(part: float) -> None:
            if self._stopping:
                raise _Stopped("The station was stopped.")
            if time.monotonic() - self._told_at >= _TELL_S:
                self._told_at = time.monotonic()
                loop.call_soon_threadsafe(self._show_part, part)

        self._set(part=0.0)
        config, name = self._config, series(self._config)
        try:
            made = await on_own_thread(partial(back_up, config, folder, report))
            rows = await on_own_thread(partial(thin_out, folder, name, self._zone()))
        except CncStationError as error:
            self._set(part=None, fault=str(error))
            raise
        except BaseException:
            self._set(part=None)
            raise
        self._set(part=None, fault="", rows=rows, overdue=False)
        return made

    async def _plan(self) -> Plan:
        stored = await self._context.reader.read(settings)
        return plan_of(self._config, stored)

    async def _look(self) -> Plan:
        """Read the plan and the folder."""
        plan = await self._plan()
        shown = "" if plan.folder is None else str(plan.folder)
        same = self._known.folder == shown
        rows, fault = (self._known.rows, self._known.fault) if same else ((), "")
        if plan.folder is not None:
            try:
                rows = await on_own_thread(
                    partial(list_backups, plan.folder, series(self._config)), _LIST_S
                )
                fault = fault if _is_old(_newest(rows)) else ""
            except TimeoutError:
                fault = f"{plan.folder} does not answer."
            except Unavailable as error:
                fault = str(error)
        if not same:
            self._not_before, self._since = 0.0, now_ms()
        newest = _newest(rows)
        making = self._known.part is not None
        old = plan.folder is not None and _is_old(newest)
        overdue = old and self._leads() and not making
        first_try = overdue and newest is None and not fault  # it is made in a moment
        self._set(
            folder=shown,
            clock=plan.clock,
            fixed=plan.fixed,
            rows=rows,
            fault=fault,
            overdue=overdue and not first_try,
        )
        return plan

    def _show_part(self, part: float) -> None:
        if self._known.part is not None:
            self._set(part=part)

    def _set(self, **values: Any) -> None:
        """Remember, and tell the window of a change."""
        before, self._known = self._known, replace(self._known, **values)
        if self._known != before:
            self._context.tell(local(Topic.LINKS_CHANGED))

    def _zone(self) -> dt.tzinfo | None:
        return ZoneInfo(self._config.time_zone) if self._config.time_zone else None
