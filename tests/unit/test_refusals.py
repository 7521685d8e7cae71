"""Every refusal is a written sentence: a state in words, then what to do instead."""

import re

import pytest

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.actions import JOB_ACTIONS, MACHINE_ACTIONS
from cnc_station.engine.domain.refusals import (
    JOB_IS,
    MACHINE_IS,
    RUN_IS,
    job_refusal,
    machine_refusal,
    run_refusal,
)
from cnc_station.engine.domain.states import JobState, MachineState, RunState

_BY_SERVICES = (t.RELEASED, t.INSPECTED, t.PART_DONE, t.MODES_SET)  # these look before they ask
_ROWS = t.TRANSITIONS.values()
_JOB_REFUSALS = [
    (row, state)
    for row in _ROWS
    if row.job is not None and row.job.sources and row.run is None and row not in _BY_SERVICES
    for state in JobState
    if state not in row.job.sources
]
_RUN_REFUSALS = [
    (row, state)
    for row in _ROWS
    if row.run is not None and row.run.sources
    for state in RunState
    if state not in row.run.sources
]
_MACHINE_REFUSALS = [
    (row, state)
    for row in _ROWS
    if row.machine is not None and row.machine.sources and row.run is None
    for state in MachineState
    if state not in row.machine.sources
]


def _is_written(text: str, state_text: str) -> None:
    assert text.startswith(f"{state_text} "), text
    assert re.fullmatch(r"([A-Z][^.{}_]*\. )+[A-Z][^.{}_]*\.", text), text


@pytest.mark.parametrize(("row", "state"), _JOB_REFUSALS)
def test_a_job_is_refused_in_written_sentences(row: t.Transition, state: JobState) -> None:
    _is_written(job_refusal(row, "Bracket", state), JOB_IS[state].format(name="Bracket"))


@pytest.mark.parametrize(("row", "state"), _RUN_REFUSALS)
def test_a_run_is_refused_in_written_sentences(row: t.Transition, state: RunState) -> None:
    _is_written(run_refusal(row, 7, state), RUN_IS[state].format(id=7))


@pytest.mark.parametrize(("row", "state"), _MACHINE_REFUSALS)
def test_a_machine_is_refused_in_written_sentences(row: t.Transition, state: MachineState) -> None:
    text = machine_refusal(row, "Mill 1", state)
    _is_written(text, MACHINE_IS[state].format(name="Mill 1"))


def test_every_action_is_among_them() -> None:
    refusable = {row for row, _ in (*_JOB_REFUSALS, *_RUN_REFUSALS, *_MACHINE_REFUSALS)}
    everywhere = {t.POSITION_CHANGED}  # allowed in each state
    asked = {row for rows in MACHINE_ACTIONS.values() for row in rows}
    assert {*asked, *JOB_ACTIONS.values(), *t.OVERRIDES.values()} <= refusable | everywhere
