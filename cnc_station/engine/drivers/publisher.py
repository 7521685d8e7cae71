"""What all drivers do alike: keep the latest status, and tell those who listen."""

from collections.abc import Callable, Sequence

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.position import PositionMemory
from cnc_station.engine.drivers.traffic import Traffic
from cnc_station.engine.views import Doing, Message, Status


class StatusPublisher:
    """The telling half of a driver; `say` is for the driver itself."""

    def __init__(self) -> None:
        self.wire = Traffic()
        self._status = Status(Doing.UNREACHABLE, "not connected yet")
        self._listeners: list[Callable[[Status], None]] = []

    def publish(self, status: Status) -> None:
        """This is how things are now; who listens hears of it if it is news."""
        if status == self._status:
            return
        self._status = status
        for listener in tuple(self._listeners):
            listener(status)

    def status(self) -> Status:
        """See `Driver.status`."""
        return self._status

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """See `Driver.listen`."""
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def traffic(self) -> Sequence[Message]:
        """See `Driver.traffic`."""
        return self.wire.messages()

    def recall(self, memory: PositionMemory | None) -> None:
        """See `Driver.recall`; the controller itself knows its position."""

    def memory(self) -> PositionMemory | None:
        """See `Driver.memory`."""
        return None

    async def confirm_position(self) -> None:
        """See `Driver.confirm_position`."""
        raise Conflict("This machine's position is not in question here.")
