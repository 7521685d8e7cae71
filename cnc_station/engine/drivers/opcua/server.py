"""Client of an OPC UA server, as far as needed to read a machine tool. All failures are raised as
Unavailable with a sentence. Its loop is that of `apart.py`."""

import asyncio
import logging
import reprlib
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from cnc_station.engine.domain.errors import Unavailable
from cnc_station.engine.drivers.opcua.picture import (
    ALERT_TYPE,
    CHANNEL,
    CHANNEL_STATE,
    IDENTIFICATION,
    MACHINE_TOOL,
    MACHINERY,
    MACHINERY_STATES,
    MESSAGES,
    MONITORING,
    PRODUCTION,
    STATE,
    WATCHED,
    Alert,
    Path,
    Value,
    channel_value,
)
from cnc_station.engine.drivers.publisher import Traffic
from cnc_station.engine.drivers.unreachable import raw_words, shown, unreachable
from cnc_station.peers.limits import OPCUA
from cnc_station.peers.probing import MALFORMED
from cnc_station.peers.values import text

if TYPE_CHECKING:
    from asyncua.client.client import Client
    from asyncua.common.node import Node
    from asyncua.common.subscription import Subscription
    from asyncua.ua import Double

log = logging.getLogger(__name__)

ANSWER_S = OPCUA.first_byte_s
WATCH_S = 2.0  # interval of the check that the server is still there
CLOSE_S = 3.0
LONGEST_SHOWN = 300  # characters of one text
SESSION_MS = 60_000
PERIOD_MS = 200
QUEUE = 50  # maximum values of one node between two messages
_TRANSPORT = "cnc_station.engine.drivers.opcua.transport"
_CONDITION_REFRESH = "0:ConditionRefresh"


class Server:
    """One connection. `broke` is called once, with the reason, when it ends by itself."""

    def __init__(self, url: str, traffic: Traffic, broke: Callable[[str], None]) -> None:
        self._url = url
        self._shown = shown(url)
        self._traffic = traffic
        self._broke = broke
        self._client: Client | None = None
        self._indexes: dict[str, int] = {}
        self._names: dict[object, str] = {}  # the value name of each watched node
        self._machine: Node | None = None
        self._subscription: Subscription | None = None

    async def open(self) -> None:
        """Connect, and read the index of each namespace."""
        await asyncio.to_thread(import_module, _TRANSPORT)  # keep the event loop free
        from cnc_station.engine.drivers.opcua.transport import (  # noqa: PLC0415 - over a second
            BoundedClient,
        )

        # This driver itself reports a lost connection, so asyncua does not have to log it.
        logging.getLogger("asyncua").setLevel(logging.CRITICAL)
        with self._translated_errors():
            client = BoundedClient(self._url, ANSWER_S, WATCH_S)
            client.name = client.description = "CNC Station"
            client.session_timeout = SESSION_MS
            client.connection_lost_callback = self._lost
            self._traffic.sent(f"connect {self._shown}")
            self._client = client
            await client.connect()
            self._indexes = {uri: at for at, uri in enumerate(await client.get_namespace_array())}
        for uri in (MACHINERY, MACHINE_TOOL):
            if uri not in self._indexes:
                raise Unavailable(f"the server has no machine tools (its model lacks {uri})")

    async def close(self) -> None:
        """Disconnect. Takes at most `CLOSE_S`."""
        client, self._client, self._subscription = self._client, None, None
        if client is None:
            return
        client.connection_lost_callback = None
        with suppress(Exception):  # a malformed answer breaks asyncua's decoder in any way
            async with asyncio.timeout(CLOSE_S):
                await client.disconnect()
                return
        client.disconnect_socket()

    async def machines(self) -> dict[str, "Node"]:
        """Return the machine tools by name. Other machinery may be there too."""
        client = self._connected()
        with self._translated_errors():
            self._traffic.sent("browse Machines")
            folder = await self._find(client.nodes.objects, [((MACHINERY, "Machines"),)])
            if folder[0] is None:
                raise Unavailable("the server has no Machines folder")
            found = {}
            for node in (await folder[0].get_children())[: OPCUA.items]:
                if (await self._find(node, [PRODUCTION]))[0] is not None:
                    found[(await node.read_browse_name()).Name or ""] = node
            self._traffic.received(text(f"machines: {', '.join(found)}"))
            return found

    async def identity(self, machine: "Node") -> tuple[tuple[str, str], ...]:
        """Return labels and values of the identification, as far as present."""
        with self._translated_errors():
            found = await self._read(machine, IDENTIFICATION)
            texts = ((label, _text(value)) for label, (_, value) in found.items())
            return tuple((label, text) for label, text in texts if text)

    async def watch(self, machine: "Node") -> list[Value]:
        """Subscribe. Return the present values; `updates` yields the later ones."""
        client = self._connected()
        with self._translated_errors():
            found = await self._read(machine, WATCHED)
            if STATE not in found:
                raise Unavailable("the machine does not report the state of its program")
            found |= await self._channels(machine)
            self._machine = machine
            self._names = {node.nodeid: name for name, (node, _) in found.items()}
            self._traffic.sent(f"subscribe {', '.join(found)}, every {PERIOD_MS} ms")
            self._subscription = await client.create_subscription(PERIOD_MS)
            await self._subscription.subscribe_data_change(
                [node for node, _ in found.values()],
                queuesize=QUEUE,
                sampling_interval=cast("Double", PERIOD_MS / 4),
            )
            return [self._value(name, value) for name, (_, value) in found.items()]

    async def _channels(self, machine: "Node") -> "dict[str, tuple[Node, Any]]":
        """Return the values of the NC channels, if the machine has any."""
        folder = (await self._find(machine, [MONITORING]))[0]
        found: dict[str, tuple[Node, Any]] = {}
        for node in [] if folder is None else (await folder.get_children())[: OPCUA.items]:
            values = await self._read(node, CHANNEL)
            if CHANNEL_STATE in values:
                channel = (await node.read_browse_name()).Name or ""
                found |= {channel_value(channel, name): one for name, one in values.items()}
        return found

    async def watch_alarms(self, *, alone: bool) -> bool:
        """Return whether the server reports alarms. Many servers report them only for the whole
        server: that is useful if the machine is `alone` on it."""
        assert self._machine is not None
        client = self._connected()
        with self._translated_errors():
            places = [(await self._find(self._machine, [MESSAGES]))[0]]
            if alone:
                places.append(client.nodes.server)
            for place in places:
                if place is not None and await self._listens(place):
                    return True
            return False

    async def _listens(self, place: "Node") -> bool:
        from asyncua import ua  # noqa: PLC0415 - as above
        from asyncua.ua.object_ids import ObjectIds  # noqa: PLC0415 - as above
        from asyncua.ua.uaerrors import UaError  # noqa: PLC0415 - as above

        assert self._subscription is not None
        alert = ua.NodeId(ua.Int32(ALERT_TYPE), ua.Int16(self._indexes[MACHINE_TOOL]))
        try:
            await self._subscription.subscribe_alarms_and_conditions(place, alert, queuesize=QUEUE)
        except UaError:
            return False
        # Requests the alarms already present; few servers support it.
        with suppress(UaError):
            condition = self._connected().get_node(ua.NodeId(ua.Int32(ObjectIds.ConditionType)))
            number = ua.Variant(self._subscription.subscription_id, ua.VariantType.UInt32)
            await condition.call_method(_CONDITION_REFRESH, number)
        return True

    async def updates(self) -> AsyncGenerator[Value | Alert, None]:
        """Yield what comes, in order, until the server ends it."""
        from asyncua.common.subscription import (  # noqa: PLC0415 - as above
            DataChangeEvent,
            OpcEvent,
        )

        assert self._subscription is not None
        async for event in self._subscription:
            if isinstance(event, DataChangeEvent):
                name = self._names.get(event.node.nodeid)
                if name is not None:
                    item = event.data.monitored_item.Value
                    update: Value | Alert = self._value(name, item)
                    self._traffic.received(f"{name}: {_short(event.value)}")
                    yield update
            elif isinstance(event, OpcEvent):
                update = _alert(event.event)
                self._traffic.received(f"alarm: {update}")
                yield update
            else:
                raise Unavailable("the server has ended the subscription")
        raise Unavailable("the server has ended the subscription")

    def _connected(self) -> "Client":
        if self._client is None:
            raise Unavailable("not connected")
        return self._client

    async def _lost(self, error: Exception) -> None:
        if isinstance(error, TimeoutError):
            self._broke(f"{self._shown} no longer answers")
        elif isinstance(error, OSError):
            self._broke(str(unreachable(self._shown, error)))
        else:
            self._broke(f"the connection to {self._shown} broke")
        log.warning("%s: the connection broke: %s", self._shown, raw_words(error))

    async def _find(self, start: "Node", paths: Iterable[Path]) -> "list[Node | None]":
        """Return the node at each path; None if there is none."""
        client = self._connected()
        wanted = list(paths)
        known = [
            at for at, path in enumerate(wanted) if all(uri in self._indexes for uri, _ in path)
        ]
        results = await client.translate_browsepaths(
            start.nodeid,
            ["".join(f"/{self._indexes[uri]}:{name}" for uri, name in wanted[at]) for at in known],
        )
        found: list[Node | None] = [None] * len(wanted)
        for at, result in zip(known, results, strict=True):
            if result.StatusCode.is_good() and result.Targets:
                found[at] = client.get_node(result.Targets[0].TargetId)
        return found

    async def _read(
        self, start: "Node", paths: Mapping[str, Path]
    ) -> "dict[str, tuple[Node, Any]]":
        """Return node and value of each path that exists."""
        nodes = await self._find(start, paths.values())
        there = [(name, node) for name, node in zip(paths, nodes, strict=True) if node is not None]
        if not there:
            return {}
        values = await self._connected().read_attributes([node for _, node in there])
        found = {}
        for (name, node), value in zip(there, values, strict=True):
            self._traffic.received(f"{name}: {_short(_content(value))}")
            found[name] = (node, value)
        return found

    def _value(self, name: str, data: Any) -> Value:
        content = _content(data)
        if name in MACHINERY_STATES and content is not None:
            at_home = getattr(content, "NamespaceIndex", None) == self._indexes[MACHINERY]
            content = getattr(content, "Identifier", None) if at_home else None
        return Value(name, content)

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Convert the exceptions of asyncua and of the network."""
        from asyncua.ua.uaerrors import UaError  # noqa: PLC0415 - as above

        try:
            yield
        except Unavailable:
            raise
        except OSError as error:  # includes a timeout
            raise unreachable(self._shown, error) from error
        except (UaError, ValueError) as error:
            words = text(str(error), 200) or type(error).__name__
            raise Unavailable(f"{self._shown} refuses: {words}") from error
        except MALFORMED as error:
            words = f"the answer of {self._shown} can't be read"
            raise Unavailable(words, raw=raw_words(error)) from error


def _content(data: Any) -> Any:
    """Return the value of a DataValue; None if its quality is not good."""
    if data is None or data.Value is None:
        return None
    good = data.StatusCode is None or data.StatusCode.is_good()
    return data.Value.Value if good else None


def _text(data: Any) -> str:
    content = _content(data)
    return text(str(getattr(content, "Text", content) or ""), LONGEST_SHOWN)


def _short(value: object) -> str:
    return reprlib.repr(value) if isinstance(value, list | bytes) else str(value)


def _alert(event: Any) -> Alert:
    code = text(str(getattr(event, "ErrorCode", None) or ""), LONGEST_SHOWN)
    message = getattr(event, "Message", None)
    words = text(str(getattr(message, "Text", "") or ""), LONGEST_SHOWN)
    active = bool(getattr(event, "ActiveState/Id", None))
    return Alert(text(str(getattr(event, "NodeId", code))), words, code, active)
