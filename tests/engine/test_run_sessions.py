"""A run session in any order of messages and machine events: it ends once, as the table allows."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cnc_station.engine.domain.errors import CncStationError, Unavailable
from cnc_station.engine.domain.states import LIVE_RUNS, JobState
from cnc_station.engine.drivers.base import OnLoss, RunFailed
from cnc_station.engine.services.health import Health
from cnc_station.engine.services.retrying_writer import RetryingWriter
from cnc_station.engine.services.run_phase import Ask, Phase, RunMessage
from cnc_station.engine.services.run_session import RunSession
from cnc_station.engine.store.database import Database
from cnc_station.engine.store.migrate import bring_up_to_date
from cnc_station.engine.views import Abilities, Doing
from tests.engine.conftest import Station
from tests.engine.floor import Controller
from tests.engine.sessions import runs_of
from tests.store.shop import Shop, mill
from tests.until import until

ENDINGS = {
    "completed",
    "requeued",
    "returned",
    "deferred",
    "failed_retry",
    "failed_final",
    "aborted",
    "interrupted",
}
AWAY = Unavailable("The controller does not answer.")


async def test_a_failure_at_the_machine_counts_although_a_person_says_at_once_that_it_is_done(
    station: Station, watched: Controller
) -> None:
    floor = await station()
    watched.at_panel()
    await floor.mill(driver="scripted")
    for _ in range(8):  # which of two comes first was left to chance
        job_id = await floor.job(retry_limit=0)
        await until(lambda: watched.asked.count("start") > watched.asked.count("over"))
        watched.begin()
        await floor.comes_to(job_id, JobState.RUNNING)
        await until(lambda: watched.cutting)
        session = floor.runs.session_of(job_id)
        done = asyncio.create_task(session.ask(RunMessage(Ask.FINISH, "anna")))
        await asyncio.sleep(0)
        watched.asked.append("over")
        watched.end(RunFailed("tool broke"))
        await done
        await floor.comes_to(job_id, JobState.NEEDS_ATTENTION)
        await floor.act_on_machine("clear", 1)
        watched.at_panel()


class _Scripted(Controller):
    """Notes every start that its session should not have made."""

    def __init__(self, on_loss: OnLoss, *, starts: bool) -> None:
        super().__init__()
        self.on_loss = on_loss
        self.abilities = Abilities(starts=starts, outlives=False)
        self.session: RunSession | None = None
        self.wrong_starts: list[Phase] = []

    async def start(self) -> None:
        assert self.session is not None
        if self.abilities.starts and self.session.phase is not Phase.RUNNING:
            self.wrong_starts.append(self.session.phase)
        await super().start()


@dataclass
class _Scene:
    """One run of a scripted machine, and what is done to it. `errors` is what surprises."""

    shop: Shop
    machine: _Scripted
    session: RunSession
    asked: list[asyncio.Task[None]] = field(default_factory=list)
    errors: list[BaseException] = field(default_factory=list)

    def ask(self, ask: Ask) -> None:
        self.spawn(self.session.ask(RunMessage(ask, "anna", "because")))

    def spawn(self, work: Coroutine[Any, Any, object]) -> None:
        async def expecting_refusals() -> None:
            try:
                await work
            except CncStationError:
                pass
            except BaseException as error:
                self.errors.append(error)
                raise

        self.asked.append(asyncio.create_task(expecting_refusals()))

    def end(self, error: Exception | None = None) -> None:
        if self.machine.cutting:
            self.machine.end(error)

    def does(self, doing: Doing) -> None:
        if self.machine.cutting:
            self.machine.does(doing)


STEPS: dict[str, Callable[[_Scene], object]] = {
    **{ask.name.lower(): lambda scene, ask=ask: scene.ask(ask) for ask in Ask},  # type: ignore[misc]
    "close": lambda scene: scene.session.close(),
    "lose the lease": lambda scene: scene.session.lose_lease(),
    "take it back": lambda scene: scene.spawn(scene.session.take_back(300.0)),
    "held at the panel": lambda scene: scene.does(Doing.HELD),
    "goes on at the panel": lambda scene: scene.does(Doing.RUNNING),
    "the part ends": lambda scene: scene.end(),
    "the part fails": lambda scene: scene.end(RunFailed("tool broke")),
    "aborts are not confirmed": lambda scene: scene.machine.refuses.update(abort=AWAY),
    "aborts are confirmed": lambda scene: scene.machine.refuses.pop("abort", None),
}
TURNS = {"a turn": 1, "some turns": 7}
WAIT = "until it is written"
Steps = st.lists(st.sampled_from([*STEPS, *TURNS, WAIT, WAIT]), max_size=14)


@pytest.fixture(scope="module")
def empty_file() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        database = Database(f"sqlite:///{path}", synchronous="OFF")
        bring_up_to_date(database)
        database.close()
        yield path


@settings(max_examples=120, deadline=None)
@given(
    steps=Steps,
    quantity=st.integers(1, 2),
    by_operator=st.booleans(),
    kind=st.sampled_from(["real", "harmless", "watched"]),
)
@example(  # an abort that fails brings a run back that is just being started
    steps=["aborts are not confirmed", "some turns", "abort", WAIT],
    quantity=1,
    by_operator=False,
    kind="watched",
)
def test_a_run_ends_once_whatever_comes_in(
    empty_file: Path, steps: list[str], quantity: int, by_operator: bool, kind: str
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop.db"
        shutil.copy(empty_file, path)
        database = Database(f"sqlite:///{path}", synchronous="OFF")
        on_loss = OnLoss.RETRY if kind == "harmless" else OnLoss.INTERRUPT
        machine = _Scripted(on_loss, starts=kind != "watched")
        try:
            asyncio.run(_play(Shop(database), machine, steps, quantity, by_operator=by_operator))
        finally:
            database.close()


async def _play(
    shop: Shop, machine: _Scripted, steps: list[str], quantity: int, *, by_operator: bool
) -> None:
    await shop.writer.start()
    try:
        spec = mill("Mill 1")
        await shop.machine(spec)
        await shop.job(quantity=quantity)
        claimed = (await shop.claim_one())._replace(
            operator_starts=by_operator, operator_clears=by_operator
        )
        runs = runs_of(RetryingWriter(shop.writer, Health(lambda: None)), {1: machine})
        runs.take(claimed)
        (session,) = runs.sessions
        machine.session = session
        scene = _Scene(shop, machine, session)
        for step in steps:
            await _perform(scene, step)
        await _over(scene)
        _check(scene)
    finally:
        await shop.writer.stop()


async def _perform(scene: _Scene, step: str) -> None:
    if step == WAIT:
        await asyncio.sleep(0.003)
    elif step in TURNS:
        for _ in range(TURNS[step]):
            await asyncio.sleep(0)
    else:
        STEPS[step](scene)


async def _over(scene: _Scene) -> None:
    """Let everything end that was begun: the controller answers again, the parts end, a person
    says all that may be waited for."""
    scene.machine.refuses.pop("abort", None)

    async def over() -> bool:
        if not scene.session.task.done():
            scene.end()
            for ask in (Ask.CONFIRM, Ask.RESUME, Ask.FINISH):
                scene.ask(ask)
        return scene.session.task.done()

    await until(over, 10.0)
    await asyncio.wait_for(_all(scene.asked), 10.0)


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)


def _check(scene: _Scene) -> None:
    session = scene.session
    told = [event for event in scene.shop.told(job_id=1) if event in ENDINGS]
    assert scene.errors == []
    assert scene.machine.wrong_starts == []
    assert session.phase is Phase.ENDED
    assert scene.shop.broken() == []
    if session.ending is not None:
        assert "internal error" not in session.ending.reason
        assert told == [session.ending.transition.name]
        assert scene.shop.run_state(session.claimed) not in LIVE_RUNS
    else:  # lost: whoever has the lease now decides
        assert told == []
