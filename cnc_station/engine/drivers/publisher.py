"""Latest status and subscribers, as all drivers have them."""

from collections.abc import Callable, Sequence

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.position import PositionMemory
from cnc_station.engine.drivers.traffic import Traffic
from cnc_station.engine.views import Doing, Message, Status


class StatusPublisher:
    """Stores the latest status and calls the subscribers. `publish` is for the driver itself."""

    def __init__(self) -> None:
        self.wire = Traffic()
        self._status = Status(Doing.UNREACHABLE, "not connected yet")
        self._listeners: list[Callable[[Status], None]] = []

    def publish(self, status: Status) -> None:
        """Store the status. Call the subscribers if it has changed."""
        if status == self._status:
            return
        self._status = status
        for listener in tuple(self._listeners):
            listener(status)

    def status(self) -> Status:
        """See `Driver.status`."""
        return self._status

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        """See `Driver.subscribe`."""
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
        raise Conflict("CNC Station does not track the position of this machine.")
