import asyncio

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers import base
from cnc_station.engine.drivers.publisher import StatusPublisher
from cnc_station.engine.views import Abilities, Doing, DriverInfo, Identity, Setting, Status


class Example(StatusPublisher):  # which has status, subscribe and traffic
    on_loss, abilities = base.OnLoss.INTERRUPT, Abilities()  # it cuts: never again blindly

    def __init__(self, settings: dict[str, object]) -> None:
        super().__init__()
        self._port, self._run = int(str(settings["port"])), ""

    async def connect(self) -> Identity:
        return Identity(await self._ask("who"), (("State", await self._look()),))

    async def close(self) -> None:
        self.publish(Status(Doing.UNREACHABLE, "let go"))

    async def load(self, order: base.Order, part: int) -> tuple[str, ...]:
        self._run = f"{order.run_id} {part}"
        if (answer := await self._ask(f"load {self._run} {order.estimated_s}")) != "ok":
            raise base.NotReady(f"it takes no program now: {answer}")
        return ()  # it keeps no modes from one program to the next

    async def start(self) -> None:
        if await self._ask("run") != "ok":
            raise base.NotReady("it did not start")
        await self._look()

    async def ended(self) -> None:
        while await self._look() in (Doing.RUNNING, Doing.HELD):
            await asyncio.sleep(0.05)
        if await self._ask("last") != f"{self._run} finished":  # only its own word is proof
            raise base.RunAborted("it was stopped")

    async def hold(self) -> None:
        if await self._ask("hold") != "ok" or await self._look() != Doing.HELD:
            raise Conflict("nothing runs")

    async def resume(self) -> None:
        if await self._ask("go") != "ok" or await self._look() != Doing.RUNNING:
            raise Conflict("nothing is held")

    async def abort(self) -> None:
        await self._ask("stop")
        await self._look()

    async def unlock(self) -> None:
        raise Conflict("unlock it at its panel")

    async def inspect_run(self, order: base.Order) -> base.RunInspection:
        run, part, what = (await self._ask("last")).split()
        outcome = base.RunOutcome(what) if run == str(order.run_id) else base.RunOutcome.STOPPED
        return base.RunInspection(outcome, f"run {run}: {what}", int(part))

    async def _look(self) -> str:
        doing, x = (await self._ask("state")).split()
        self.publish(Status(Doing(doing), x=float(x)))
        return doing

    async def _ask(self, words: str) -> str:
        try:
            lines, to = await asyncio.open_connection("127.0.0.1", self._port)
            to.write(f"{words}\n".encode())
            answer = (await lines.readline()).decode().strip()
            to.close()
        except OSError as error:
            self.publish(Status(Doing.UNREACHABLE, "nobody answers"))
            raise Unavailable(f"nobody answers at port {self._port}") from error
        self.wire.sent(words)
        self.wire.received(answer)
        return answer


KIND = base.DriverKind(DriverInfo("example", "Example", (Setting("port", "Port"),)), Example)
