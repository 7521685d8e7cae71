"""Anything people, machines and services may do, in any order, on the real store and on a model."""

from collections.abc import Callable
from random import Random
from typing import ClassVar

import pytest
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Connection, select

from cnc_station.engine.store import schema
from cnc_station.engine.store.database import Database
from tests.store.steps import Steps

# How often each thing happens. One rule throws dice for it: left to choose among rules and values
# itself, Hypothesis repeats itself so much that jobs seldom get anywhere.
_STEPS = (
    *("new_job",) * 4,
    *("act",) * 4,
    *("claim",) * 5,
    *("move_a_live_run",) * 8,
    *("move_machine", "time_passes", "many_at_once") * 2,
    *("reattach", "say_readiness") * 2,
    *("new_machine", "move_any_run", "undo_a_cancel", "delay", "pin", "reorder"),
)


class TheShop(RuleBasedStateMachine):
    """Both shops; after every step the real one agrees with itself and with the model."""

    new_database: ClassVar[Callable[[], Database]]

    def __init__(self) -> None:
        super().__init__()
        self.steps = Steps(type(self).new_database())

    def teardown(self) -> None:
        self.steps.close()

    @initialize(clears=st.booleans())
    def a_shop_at_work(self, clears: bool) -> None:
        self.steps.open(clears=clears)

    @rule(dice=st.randoms(use_true_random=True))
    def go_on(self, dice: Random) -> None:
        for _ in range(10):
            what = dice.choice(_STEPS)
            note(what)
            getattr(self.steps, what)(dice)
            self.check()

    def check(self) -> None:
        shop, model = self.steps.shop, self.steps.model
        assert shop.broken() == []
        assert shop.database.read(_states) == [
            {key: job.state for key, job in model.jobs.items()},
            {key: run.state for key, run in model.runs.items()},
            {key: machine.state for key, machine in model.machines.items()},
        ]


def _states(connection: Connection) -> list[dict[int, str]]:
    """Of jobs, runs and machines."""
    queries = (
        select(table.c.id, table.c.state) for table in (schema.job, schema.run, schema.machine)
    )
    return [{row.id: row.state for row in connection.execute(query)} for query in queries]


def _play(new_database: Callable[[], Database], examples: int, steps: int) -> None:
    TheShop.new_database = staticmethod(new_database)
    run_state_machine_as_test(
        TheShop,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.reuse, Phase.generate),  # to shrink takes minutes, and gains little
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_whatever_happens_the_store_keeps_to_the_table(
    new_database: Callable[[], Database],
) -> None:
    _play(new_database, examples=10, steps=12)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_whatever_happens_for_long_the_store_keeps_to_the_table(
    new_database: Callable[[], Database],
) -> None:
    _play(new_database, examples=500, steps=50)
