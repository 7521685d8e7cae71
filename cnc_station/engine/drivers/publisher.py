"""Latest status, subscribers and the record of the wire, as all drivers have them."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import attrgetter

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.machine import PositionMemory
from cnc_station.engine.domain.text_gate import is_tidy, visible
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import Doing, Identity, Message, Status
from cnc_station.peers import values
from cnc_station.peers.limits import LARGEST_NUMBER

_COUNTS = ("line", "tool", "parts")
_FIGURES = ("fraction", "x", "y", "z", "feed_mm_min", "spindle_rpm")
_OVERRIDES = ("feed_override", "rapid_override", "spindle_override")
_numbers = attrgetter(*_COUNTS, *_FIGURES, *_OVERRIDES)


class StatusPublisher:
    """Stores the latest status and calls the subscribers. `publish` is for the driver itself."""

    def __init__(self) -> None:
        self.wire = Traffic()
        self._status = Status(Doing.UNREACHABLE, "not connected yet")
        self._listeners: list[Callable[[Status], None]] = []

    def publish(self, status: Status) -> None:
        """Store the status. Call the subscribers if it has changed."""
        if status == self._status or (status := _bounded(status)) == self._status:
            return
        self._status = status
        for listener in tuple(self._listeners):
            listener(status)

    def status(self) -> Status:
        return self._status

    def subscribe(self, listener: Callable[[Status], None]) -> Callable[[], None]:
        self._listeners.append(listener)

        def stop() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return stop

    def traffic(self) -> Sequence[Message]:
        return self.wire.messages()

    def recall(self, memory: PositionMemory | None) -> None:
        """The controller itself knows its position."""

    def memory(self) -> PositionMemory | None:
        return None

    async def confirm_position(self) -> None:
        raise Conflict("CNC Station does not track the position of this machine.")


def _bounded(status: Status) -> Status:
    """Return the status without numbers that no controller of a machine reports."""
    numbers = [number for number in _numbers(status) if number is not None]
    if all(-LARGEST_NUMBER <= number <= LARGEST_NUMBER for number in numbers):
        return status
    changes: dict[str, object] = {name: values.whole(getattr(status, name)) for name in _COUNTS}
    changes |= {name: values.number(getattr(status, name)) for name in (*_FIGURES, *_OVERRIDES)}
    return replace(status, **changes)  # type: ignore[arg-type] # by its names


def bounded_identity(identity: Identity) -> Identity:
    """Return the identity without what a peer may have put into its texts."""
    details = identity.details[:_MOST_DETAILS]
    return Identity(
        values.text(identity.controller, LONGEST),
        tuple((values.text(label, LONGEST), values.text(text, LONGEST)) for label, text in details),
    )


MOST = 2_000
_MOST_DETAILS = 400  # grblHAL names all its settings
LONGEST = 500  # characters of one message


class Traffic:
    """The latest messages of one connection. The driver omits polls that report nothing new: two
    thousand messages then cover some minutes of work."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=MOST)

    def sent(self, text: str) -> None:
        self._messages.append(Message(now_ms(), True, text[:LONGEST]))

    def received(self, text: str) -> None:
        self._messages.append(Message(now_ms(), False, text[:LONGEST]))

    def messages(self) -> Sequence[Message]:
        """Return the messages, oldest first, with control characters made visible."""
        return tuple(
            message
            if is_tidy(message.text)
            else replace(message, text=visible(message.text, lines=True))
            for message in tuple(self._messages)  # in one step: another thread may append
        )
