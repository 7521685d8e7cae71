"""MTConnect documents: bytes in, frozen values or `BadDocument` out. Only local names are compared,
because the XML namespace contains the version of the standard. Whatever the document contains, no
step keeps other threads waiting for long: it may be parsed beside the event loop."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.peers.limits import LONGEST_TEXT, MTCONNECT
from cnc_station.peers.values import text as plain

_PIECE = 16 * 1024  # bytes given to expat at once
_LONGEST_TAG = 64 * 1024  # bytes, with its attributes
_MOST_TEXTS = 100  # of a refusal
CONDITION_LEVELS = frozenset({"Normal", "Warning", "Fault", "Unavailable"})


class BadDocument(CncStationError):
    """The data is not an MTConnect document. The message states why."""


@dataclass(frozen=True, slots=True)
class Header:
    """Data of the agent. `instance`: a new value means that the agent was restarted, and its
    sequence numbers too. `next`: the first observation that this document does not contain."""

    instance: str = ""
    next: int = 0
    version: str = ""


@dataclass(frozen=True, slots=True)
class DataItem:
    """One value that a device reports, other than a condition. `component` is its element (Path,
    …), `owner` the name of that element, `within` the ids of all components around it."""

    id: str
    type: str
    sub_type: str = ""
    units: str = ""
    component: str = ""
    owner: str = ""
    within: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Device:
    """One machine of an agent."""

    name: str
    uuid: str = ""
    maker: str = ""
    model: str = ""
    serial: str = ""
    items: tuple[DataItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Observation:
    """One value. For a condition, `kind` is its level and `value` its text."""

    sequence: int
    item: str
    kind: str
    value: str
    code: str = ""
    type: str = ""


@dataclass(frozen=True, slots=True)
class Devices:
    """The answer to a probe."""

    header: Header
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class Streams:
    """The answer to current, and each part of the answer to sample, in order of sequence."""

    header: Header
    observations: tuple[Observation, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of the agent: its code (NO_DEVICE, OUT_OF_RANGE, …) and its text."""

    header: Header
    code: str
    words: str


Document = Devices | Streams | Refusal


def parse(data: bytes) -> Document:
    """Parse one document. Raises only BadDocument."""
    root = _tree(data)
    header = _header(root)
    kind = _local(root)
    if kind == "MTConnectDevices":
        groups = (group for group in root if _local(group) == "Devices")
        found = (child for group in groups for child in group if _local(child) == "Device")
        return Devices(header, tuple(map(_device, found)))
    if kind == "MTConnectStreams":
        seen = sorted(_observations(root), key=lambda observation: observation.sequence)
        return Streams(header, tuple(seen))
    if kind == "MTConnectError":
        for element in root.iter():
            if "errorCode" in element.attrib:
                words = " ".join(map(_words, islice(element.itertext(), _MOST_TEXTS)))
                return Refusal(header, plain(element.attrib["errorCode"]), plain(words.strip()))
        return Refusal(header, "", "no reason given")
    raise BadDocument(f"not an MTConnect document: its root element is {kind[:60]!r}")


def _tree(data: bytes) -> Element:
    """Parse XML without a document type. No MTConnect document declares one, and document types
    allow entities that expand without limit or read files."""
    if len(data) > MTCONNECT.bytes:
        raise BadDocument(f"more than {MTCONNECT.bytes:,} bytes")
    builder = _BoundedBuilder()
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def refuse(*_: object) -> None:
        raise BadDocument("XML with a document type is not read")

    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        for begin in range(0, len(data), _PIECE):
            piece = data[begin : begin + _PIECE]
            parser.Parse(piece, False)
            if begin + len(piece) - parser.CurrentByteIndex > _LONGEST_TAG:
                raise BadDocument("a tag without an end")
        parser.Parse(b"", True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise BadDocument(f"not XML: {error}") from error
    return builder.close()


class _BoundedBuilder:
    """Builds a tree of at most the permitted depth and number of elements."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth = self._count = 0
        self.data, self.close = self._builder.data, self._builder.close

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > MTCONNECT.depth:
            raise BadDocument(f"elements nested more than {MTCONNECT.depth} deep")
        if self._count > MTCONNECT.items:
            raise BadDocument(f"more than {MTCONNECT.items:,} elements")
        self._builder.start(tag, attributes)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._builder.end(tag)


def _local(element: Element) -> str:
    return element.tag.rpartition(":")[2]


def _whole(text: str | None) -> int:
    """Return a whole number; 0, which is not a sequence number, for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) <= 20 else 0


def _words(text: str) -> str:
    return " ".join(text[:LONGEST_TEXT].split())


def _header(root: Element) -> Header:
    for element in root:
        if _local(element) == "Header":
            return Header(
                element.get("instanceId", ""),
                _whole(element.get("nextSequence")),
                element.get("version", ""),
            )
    return Header()


def _device(device: Element) -> Device:
    description = next((child for child in device if _local(child) == "Description"), None)
    attributes = {} if description is None else description.attrib
    uuid = device.get("uuid", "")
    return Device(
        device.get("name") or uuid,
        uuid,
        attributes.get("manufacturer", ""),
        attributes.get("model", ""),
        attributes.get("serialNumber", ""),
        tuple(_items(device)),
    )


def _items(device: Element) -> Iterator[DataItem]:
    """Yield the items in document order. Uses its own stack: the nesting depth is not trusted."""
    waiting: list[tuple[Element, Element, tuple[str, ...]]] = [(device, device, ())]
    while waiting:
        element, component, within = waiting.pop()
        name = _local(element)
        if name == "DataItem":
            if element.get("category") == "CONDITION":
                continue
            yield DataItem(
                element.get("id", ""),
                element.get("type", ""),
                element.get("subType", ""),
                element.get("units", ""),
                _local(component),
                component.get("name", ""),
                within,
            )
            continue
        if name not in {"DataItems", "Components"}:
            component, within = element, (*within, element.get("id", ""))
        waiting.extend((child, component, within) for child in reversed(element))


def _observations(root: Element) -> Iterator[Observation]:
    for element in root.iter():
        item = element.get("dataItemId")
        if item is None:
            continue
        yield Observation(
            _whole(element.get("sequence")),
            item,
            _local(element),
            _words(element.text or ""),
            element.get("nativeCode", ""),
            element.get("type", ""),
        )
