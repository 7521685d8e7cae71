"""Machines for the window and for the queue."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, select

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.forecast import MachineNow
from cnc_station.engine.domain.machine import MachineSpec, Position, PositionBasis
from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.store.claims import capability
from cnc_station.engine.store.queries.context import QueryContext, Shown, all_hidden
from cnc_station.engine.store.queries.stations import Attendance, attendance
from cnc_station.engine.store.schema import job, machine, run
from cnc_station.engine.store.tenants import WHOLE_SHOP
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import MachineRow, PositionRecord, Presence

_NO_STATIONS: Mapping[str, Attendance] = MappingProxyType({})

_SPEC_AS_STORED = tuple(
    field.name for field in fields(MachineSpec) if field.name not in {"capability", "settings"}
)
_COMPUTED = {"spec", "state", "run_started_at", "position", "presence"}
_AS_STORED = tuple(field.name for field in fields(MachineRow) if field.name not in _COMPUTED)

MACHINES = (
    select(machine, run.c.started_at, (job.c.estimated_s * job.c.quantity).label("job_seconds"))
    .select_from(machine)
    .join(run, run.c.id == machine.c.run_id, isouter=True)
    .join(job, job.c.id == machine.c.job_id, isouter=True)
    .order_by(machine.c.id)
    .execution_options(**WHOLE_SHOP)  # the end of the present run, of any tenant
)


def read_machines(connection: Connection) -> Sequence[Row[Any]]:
    """All machine rows with their present run, including removed ones: jobs still name them."""
    return connection.execute(MACHINES).all()


def stored_machines(connection: Connection) -> tuple[MachineRow, ...]:
    """Every machine with its stored settings, passwords included: for drivers only. No view may
    contain them."""
    rows = read_machines(connection)
    return tuple(
        machine_row(row, shown=lambda _driver, settings: settings)
        for row in rows
        if not row.removed
    )


def machines_with_stations(
    connection: Connection,
    *,
    own: str,
    clock: Callable[[Connection], int],
    shown: Shown = all_hidden,
) -> tuple[MachineRow, ...]:
    """Every machine, with the presence of its station."""
    there = attendance(connection, own, clock, now_ms())
    rows = read_machines(connection)
    return tuple(machine_row(row, there, shown) for row in rows if not row.removed)


def machine_row(
    row: Row[Any], there: Mapping[str, Attendance] = _NO_STATIONS, shown: Shown = all_hidden
) -> MachineRow:
    """A row of `read_machines` as a view; `there` are the stations, `shown` hides passwords."""
    station = there.get(row.station)
    return MachineRow(
        **{name: getattr(row, name) for name in _AS_STORED},
        spec=MachineSpec(
            **{name: getattr(row, name) for name in _SPEC_AS_STORED},
            capability=capability(row),
            settings=shown(row.driver, json_text.stored_object(row.settings)),
        ),
        state=MachineState(row.state),
        run_started_at=row.started_at,
        position=_position(row),
        presence=Presence.HERE if station is None else station.presence,
    )


def _position(row: Row[Any]) -> PositionRecord | None:
    if row.position is None:
        return None
    position = Position(PositionBasis(row.position), row.position_reason)
    return PositionRecord(position, row.position_since, row.position_by, row.controller_mark)


def machine_now(row: Row[Any], now: int, context: QueryContext) -> MachineNow:
    """A row of `read_machines` for the forecast."""
    pace = context.pace_of(row.driver)
    state = MachineState(row.state)
    assigned = state is MachineState.ASSIGNED
    set_up = assigned and context.sets_up(row.driver, operator_starts=row.operator_starts)
    return MachineNow(
        id=row.id,
        name=row.name,
        state=state,
        capability=capability(row),
        free_at=None if set_up else _free_at(row, state, now, pace),
        leaving=row.maintenance_due,
        pace=pace,
        not_ready=row.not_ready,
        set_up=set_up,
    )


def _free_at(row: Row[Any], state: MachineState, now: int, pace: float) -> int | None:
    if state not in {MachineState.ASSIGNED, MachineState.RUNNING} or row.job_seconds is None:
        return None
    started: int = now if row.started_at is None else row.started_at
    seconds: float = row.job_seconds
    return started + round(seconds / pace * 1000)
