import asyncio

from cnc_station.engine.domain.errors import Conflict, Unavailable
from cnc_station.engine.drivers import base
from cnc_station.engine.drivers.publisher import StatusPublisher
from cnc_station.engine.views import Abilities, Doing, DriverInfo, Identity, Setting, Status


class Example(StatusPublisher):  # has status, subscribe, traffic
    on_loss, abilities = base.OnLoss.INTERRUPT, Abilities()  # it cuts: no blind retry

    def __init__(self, settings: dict[str, object]) -> None:
        super().__init__()
        self._port, self._run = int(str(settings["port"])), ""

    async def connect(self) -> Identity:
        return Identity(await self._ask("who"), (("State", await self._read_status()),))

    async def close(self) -> None:
        self.publish(Status(Doing.UNREACHABLE, "not connected"))

    async def load(self, order: base.Order, part: int) -> tuple[str, ...]:
        self._run = f"{order.run_id} {part}"
        if (answer := await self._ask(f"load {self._run} {order.estimated_s}")) != "ok":
            raise base.NotReady(f"it accepts no program now: {answer}")
        return ()  # it keeps no modes between programs

    async def start(self) -> None:
        if await self._ask("run") != "ok":
            raise base.NotReady("it did not start")
        await self._read_status()

    async def ended(self) -> None:
        while await self._read_status() in (Doing.RUNNING, Doing.HELD):
            await asyncio.sleep(0.05)
        if await self._ask("last") != f"{self._run} finished":  # its report is the proof
            raise base.RunAborted("it was stopped")

    async def hold(self) -> None:
        if await self._ask("hold") != "ok" or await self._read_status() != Doing.HELD:
            raise Conflict("no program is running")

    async def resume(self) -> None:
        if await self._ask("go") != "ok" or await self._read_status() != Doing.RUNNING:
            raise Conflict("no program is held")

    async def abort(self) -> None:
        await self._ask("stop")
        await self._read_status()

    async def unlock(self) -> None:
        raise Conflict("unlock it at the panel")

    async def inspect_run(self, order: base.Order) -> base.RunInspection:
        run, part, result = (await self._ask("last")).split()
        outcome = base.RunOutcome(result) if run == str(order.run_id) else base.RunOutcome.STOPPED
        return base.RunInspection(outcome, f"run {run}: {result}", int(part))

    async def _read_status(self) -> str:
        doing, x = (await self._ask("state")).split()
        self.publish(Status(Doing(doing), x=float(x)))
        return doing

    async def _ask(self, request: str) -> str:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(f"{request}\n".encode())
            answer = (await reader.readline()).decode().strip()
            writer.close()
        except OSError as error:
            self.publish(Status(Doing.UNREACHABLE, "no answer"))
            raise Unavailable(f"no answer at port {self._port}") from error
        self.wire.sent(request)
        self.wire.received(answer)
        return answer


KIND = base.DriverKind(DriverInfo("example", "Example", (Setting("port", "Port"),)), Example)
