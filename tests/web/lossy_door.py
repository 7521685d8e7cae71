"""The door of a station that is killed between its commit and its answer, again and again."""

from typing import TypeVar

from cnc_station.engine.commands import Command
from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.domain.principal import Principal
from cnc_station.engine.door import Door
from cnc_station.engine.once import StoreReply
from cnc_station.engine.queries import LiveQuery, Query

T = TypeVar("T")


class LossyDoor:
    """Answers as `door`, but stores no reply."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self.operator, self.tenants = door.operator, door.tenants
        self.lost = 0

    async def execute(self, command: Command[T]) -> T:
        if isinstance(command, StoreReply):
            self.lost += 1
            raise Unavailable("killed")
        return await self._door.execute(command)

    async def ask(self, query: Query[T]) -> T:
        return await self._door.ask(query)

    def peek(self, query: LiveQuery[T]) -> T:
        return self._door.peek(query)

    def of_principal(self, principal: Principal) -> Door:
        return self._door.of_principal(principal)
