"""Parsing MTConnect documents: their content, and that BadDocument is the only error."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine.drivers.mtconnect.documents import (
    BadDocument,
    Devices,
    Observation,
    Refusal,
    Streams,
    parse,
)
from cnc_station.engine.drivers.mtconnect.layout import Layout, PathItems, layout
from cnc_station.engine.drivers.mtconnect.picture import Picture
from cnc_station.engine.drivers.reported import Phase
from cnc_station.engine.views import Doing
from tests.drivers.mtconnect_agent import ITEMS, FakeAgent


def _documents() -> tuple[bytes, bytes]:
    async def make() -> tuple[bytes, bytes]:
        agent = FakeAgent()
        agent.ready("plate.nc", 3)
        agent.fault("spindle <overload>", "9031")
        return agent.documents()

    return asyncio.run(make())


PROBE, CURRENT = _documents()
ONE_PATH = Layout({"execution": "e", "available": "a"}, (PathItems("", ("e",)),))


def test_observations_come_in_the_order_in_which_they_were_made() -> None:
    document = parse(CURRENT)
    assert isinstance(document, Streams)
    sequences = [observation.sequence for observation in document.observations]
    assert sequences == sorted(sequences)
    assert document.header.next > sequences[-1]


def test_a_probe_contains_devices_and_their_data_items() -> None:
    document = parse(PROBE)
    assert isinstance(document, Devices)
    figures = layout(document.devices[0]).figures
    assert figures["execution"] == "exec"
    assert figures["parts"] == "count"
    assert "target" not in figures.values()


def test_each_path_has_its_own_program_and_the_figures_are_those_of_the_first() -> None:
    def path(number: int) -> str:
        return (
            f'<Path id="p{number}"><DataItems><DataItem id="g{number}" type="PROGRAM"/>'
            f'<DataItem id="e{number}" type="EXECUTION"/></DataItems></Path>'
        )

    probe = (
        '<MTConnectDevices><Devices><Device id="d" name="L"><Components><Controller id="c">'
        f"<Components>{path(1)}{path(2)}</Components></Controller></Components></Device></Devices>"
        "</MTConnectDevices>"
    )
    document = parse(probe.encode())
    assert isinstance(document, Devices)
    found = layout(document.devices[0])
    assert found.figures == {"execution": "e1", "program": "g1"}
    assert found.paths == (PathItems("", ("e1",), ("g1",)), PathItems("", ("e2",), ("g2",)))


def test_an_override_in_percent_is_not_a_feed_and_a_condition_is_not_a_position() -> None:
    def item(rest: str) -> str:
        return f'<DataItem category="SAMPLE" {rest}/>'

    feeds = item('id="o" type="PATH_FEEDRATE" units="PERCENT"') + item(
        'id="f" type="PATH_FEEDRATE" units="MILLIMETER/SECOND"'
    )
    travel = '<DataItem id="t" category="CONDITION" type="POSITION"/>'
    probe = (
        '<MTConnectDevices><Devices><Device id="d" name="M"><Components>'
        f'<Path id="p"><DataItems>{feeds}</DataItems></Path>'
        f'<Linear id="x" name="X"><DataItems>{travel}</DataItems></Linear>'
        "</Components></Device></Devices></MTConnectDevices>"
    )
    document = parse(probe.encode())
    assert isinstance(document, Devices)
    assert layout(document.devices[0]).figures == {"feed_override": "o", "feed": "f"}


def test_a_fault_stays_until_its_own_code_or_the_whole_item_is_normal() -> None:
    picture = Picture(ONE_PATH)
    picture.take(Observation(1, "e", "Execution", "READY"))
    picture.take(Observation(2, "s", "Fault", "door open", "D1"))
    picture.take(Observation(3, "s", "Fault", "no air", "A1"))
    assert picture.report().alarm == "door open (D1); no air (A1)"
    picture.take(Observation(4, "s", "Normal", "", "D1"))
    assert picture.report().alarm == "no air (A1)"
    picture.take(Observation(5, "s", "Normal", ""))
    assert picture.report().alarm == ""


def test_an_unknown_execution_value_is_not_guessed() -> None:
    picture = Picture(ONE_PATH)
    picture.take(Observation(1, "e", "Execution", "DREAMING"))
    report = picture.report()
    assert report.phase is Phase.UNKNOWN
    assert "DREAMING" in report.words


def test_a_machine_that_is_not_available_is_unknown() -> None:
    picture = Picture(ONE_PATH)
    picture.take(Observation(1, "e", "Execution", "ACTIVE"))
    assert picture.report().phase is Phase.RUNNING
    picture.take(Observation(2, "a", "Availability", "UNAVAILABLE"))
    assert picture.report().phase is Phase.UNKNOWN


@pytest.mark.parametrize(
    "error",
    [
        '<Error errorCode="NO_DEVICE">none such</Error>',
        '<NoDevice errorCode="NO_DEVICE"><ErrorMessage>none such</ErrorMessage></NoDevice>',
    ],
)
def test_refusals_are_read_in_the_old_form_and_in_the_new(error: str) -> None:
    document = parse(f"<MTConnectError><Errors>{error}</Errors></MTConnectError>".encode())
    assert isinstance(document, Refusal)
    assert (document.code, document.words) == ("NO_DEVICE", "none such")


def test_entities_are_not_read() -> None:
    entities = b'<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;">'
    with pytest.raises(BadDocument, match="document type"):
        parse(b"<!DOCTYPE a [" + entities + b"]><MTConnectStreams>&c;</MTConnectStreams>")


@given(st.binary(max_size=400))
def test_any_bytes_give_a_document_or_bad_document(data: bytes) -> None:
    _survives(data)


@given(st.data())
def test_a_damaged_document_gives_a_document_or_bad_document(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([PROBE, CURRENT])))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place : place + data.draw(st.integers(0, 30))] = data.draw(st.binary(max_size=10))
    _survives(bytes(whole))


@given(
    st.lists(
        st.builds(
            Observation,
            st.integers(0, 1000),
            st.sampled_from([*ITEMS, "system", "?"]),
            st.sampled_from(["Execution", "Fault", "Normal", "Warning", "Unavailable"]),
            st.text(max_size=20)
            | st.sampled_from(["ACTIVE", "READY", "UNAVAILABLE", "1e999", "nan", "1 2 3", "-0"]),
            st.text(max_size=3),
        ),
        max_size=30,
    )
)
def test_any_observations_give_a_state(observations: list[Observation]) -> None:
    document = parse(PROBE)
    assert isinstance(document, Devices)
    picture = Picture(layout(document.devices[0]))
    for observation in observations:
        before = picture.report()
        changed = picture.take(observation)
        assert changed or picture.report() == before
    assert picture.report().status().doing in Doing


def _survives(data: bytes) -> None:
    try:
        document = parse(data)
    except BadDocument:
        return
    if isinstance(document, Devices):
        assert all(isinstance(layout(device), Layout) for device in document.devices)
