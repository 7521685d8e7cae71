from cnc_station.config import Config
from cnc_station.demo import DEMO, demo_machines, load_demo
from cnc_station.engine.domain.states import JobState
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import CountJobs, ListMachines
from cnc_station.engine.views import JobFilter
from tests.until import until


async def test_the_demo_day_sets_every_type_of_machine_to_work(config: Config) -> None:
    engine = StationEngine(config)
    await engine.start()
    try:
        ids = await load_demo(engine.door(DEMO))

        async def all_types_have_worked() -> bool:
            done = {
                m.spec.machine_type
                for m in await engine.local_door.ask(ListMachines())
                if m.runs_done
            }
            return done == {"mill", "lathe", "drill"}

        assert await until(all_types_have_worked, timeout=30)
        counts = await engine.local_door.ask(CountJobs(JobFilter()))
        assert sum(counts.by_state.values()) == len(ids)
        assert counts.by_state[JobState.COMPLETED] > 0
        assert len(await engine.local_door.ask(ListMachines())) == len(demo_machines())
    finally:
        await engine.stop()
