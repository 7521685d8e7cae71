"""A machine's password reaches its controller, and nobody else."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import Connection, insert

from cnc_station.cli.output import plain
from cnc_station.engine.commands import AddMachine, EditMachine, TryMachine
from cnc_station.engine.domain.errors import InvalidInput, Unavailable
from cnc_station.engine.drivers import registry
from cnc_station.engine.drivers.base import DriverKind
from cnc_station.engine.drivers.linuxcnc.settings import Settings
from cnc_station.engine.drivers.unreachable import shown
from cnc_station.engine.queries import FloorNow, ListEvents, ListMachines
from cnc_station.engine.store.queries import floor as floor_query
from cnc_station.engine.store.queries import machine_rows
from cnc_station.engine.store.schema import machine
from cnc_station.engine.store.transaction import StoreCommand, Tx
from cnc_station.engine.timing import now_ms
from cnc_station.engine.views import KEPT, DriverInfo, Setting
from tests.engine.conftest import Station
from tests.engine.floor import MILL, Controller, FloorOf
from tests.until import until

SECRET = "correct-horse"
NEW = "battery-staple"
GUARDED = DriverInfo(
    "guarded", "Guarded", (Setting("host", "Address"), Setting("word", "Password", secret=True))
)
SPEC = replace(MILL, driver="guarded", settings={"host": "mill-1", "word": SECRET})


@dataclass(slots=True)
class Gate:
    """What the driver named `guarded` was made with, last."""

    controller: Controller
    given: Mapping[str, object]

    def make(self, settings: dict[str, object]) -> Controller:
        self.given = dict(settings)
        return self.controller


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    gate = Gate(Controller(), {})
    monkeypatch.setitem(registry.OWN, "guarded", DriverKind(GUARDED, gate.make))
    return gate


@pytest.fixture
async def floor(station: Station, gate: Gate) -> FloorOf:  # noqa: ARG001 - its driver is there before the engine starts
    floor = await station()
    await floor.door.execute(AddMachine(SPEC))
    return floor


async def _settings(floor: FloorOf) -> Mapping[str, Any]:
    (row,) = await floor.door.ask(ListMachines())
    return row.spec.settings


async def test_whoever_looks_at_machines_learns_that_there_is_a_password_but_not_which(
    floor: FloorOf, gate: Gate
) -> None:
    await floor.job()
    assert gate.given["word"] == SECRET
    assert await _settings(floor) == {"host": "mill-1", "word": KEPT}
    (card,) = (await floor.door.ask(FloorNow())).cards
    assert card.machine.spec.settings["word"] == KEPT
    for view in (await floor.door.ask(ListMachines()), await floor.door.ask(FloorNow())):
        assert SECRET not in json.dumps(plain(view))
        assert SECRET not in repr(view)


async def test_what_happened_to_a_machine_is_told_without_its_password(floor: FloorOf) -> None:
    await floor.door.execute(
        EditMachine(1, replace(SPEC, settings={"host": "mill-2", "word": NEW}))
    )
    told = repr(await floor.door.ask(ListEvents(machine_id=1)))
    assert "machine_edited" in told
    assert SECRET not in told
    assert NEW not in told


async def test_an_edit_that_leaves_the_password_alone_keeps_it(floor: FloorOf, gate: Gate) -> None:
    (row,) = await floor.door.ask(ListMachines())
    await floor.door.execute(EditMachine(1, replace(row.spec, model="VF-2")))
    changed = replace(row.spec, settings={**row.spec.settings, "host": "mill-2"})
    await floor.door.execute(EditMachine(1, changed))
    assert gate.given == {"host": "mill-2", "word": SECRET}


async def test_a_password_is_replaced_or_taken_away_as_any_setting(
    floor: FloorOf, gate: Gate
) -> None:
    await floor.door.execute(
        EditMachine(1, replace(SPEC, settings={"host": "mill-1", "word": NEW}))
    )
    assert gate.given["word"] == NEW
    await floor.door.execute(EditMachine(1, replace(SPEC, settings={"host": "mill-1"})))
    assert "word" not in gate.given
    assert await _settings(floor) == {"host": "mill-1"}


async def test_a_password_outlives_its_station(
    floor: FloorOf, gate: Gate, station: Station
) -> None:
    await floor.engine.stop()
    gate.given = {}
    await station()
    assert gate.given["word"] == SECRET


async def test_a_connection_is_tried_with_the_password_that_is_kept(
    floor: FloorOf, gate: Gate
) -> None:
    asked = replace(SPEC, settings={"host": "mill-9", "word": KEPT})
    assert (await floor.door.execute(TryMachine(asked, 1))).identity is not None
    assert gate.given == {"host": "mill-9", "word": SECRET}


async def test_where_no_password_is_kept_it_has_to_be_typed_in(floor: FloorOf) -> None:
    asked = replace(SPEC, name="Mill 2", settings={"host": "mill-2", "word": KEPT})
    for attempt in (floor.door.execute(AddMachine(asked)), floor.door.execute(TryMachine(asked))):
        with pytest.raises(InvalidInput, match="enter it again") as refused:
            await attempt
        assert [error.field for error in refused.value.errors] == ["settings.word"]


async def test_a_password_kept_for_one_driver_is_not_given_to_another(
    floor: FloorOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        registry.OWN, "other", DriverKind(replace(GUARDED, name="other"), lambda _: Controller())
    )
    with pytest.raises(InvalidInput, match="enter it again"):
        await floor.door.execute(
            EditMachine(1, replace(SPEC, driver="other", settings={"word": KEPT}))
        )


async def test_of_a_driver_that_is_not_installed_here_nothing_is_told(
    floor: FloorOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(registry.OWN, "guarded")
    assert await _settings(floor) == {"host": KEPT, "word": KEPT}


async def test_of_an_address_all_but_its_password_is_told_and_can_be_edited(
    station: Station, gate: Gate
) -> None:
    floor = await station()
    there = replace(SPEC, settings={"host": f"http://ann:{SECRET}@mill-1:5000/a"})
    await floor.door.execute(AddMachine(there))
    told = await _settings(floor)
    assert told == {"host": f"http://ann:{KEPT}@mill-1:5000/a"}
    await floor.door.execute(EditMachine(1, replace(SPEC, model="VF-2", settings=told)))
    assert gate.given == there.settings
    moved = {"host": told["host"].replace("mill-1", "mill-2")}
    await floor.door.execute(EditMachine(1, replace(SPEC, settings=moved)))
    assert gate.given == {"host": f"http://ann:{SECRET}@mill-2:5000/a"}
    with pytest.raises(InvalidInput, match="enter it again"):
        await floor.door.execute(AddMachine(replace(SPEC, name="Mill 2", settings=moved)))


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("mill-1", "mill-1"),
        ("http://mill-1:5000", "http://mill-1:5000"),
        ("http://ann@mill-1:5000", "http://ann@mill-1:5000"),
        ("ann:a@b/c@mill-1:5000", f"ann:{KEPT}@mill-1:5000"),
        ("opc.tcp://ann://x@mill-1", f"opc.tcp://ann:{KEPT}@mill-1"),
        ("opc.tcp://:x@mill-1", f"opc.tcp://:{KEPT}@mill-1"),
        ("/dev/serial/by-path/pci:0@1", "/dev/serial/by-path/pci:0@1"),
    ],
)
def test_an_address_shows_no_part_of_its_password(address: str, told: str) -> None:
    assert shown(address) == told


@dataclass(frozen=True, slots=True)
class _Broken(StoreCommand[None]):
    """Writes a machine's settings, and fails."""

    settings: str

    @classmethod
    def apply(cls, tx: Tx, changes: Sequence["_Broken"]) -> list[Exception | None]:
        tx.connection.execute(insert(machine).values(id=1, settings=changes[0].settings))
        return [None for _ in changes]


async def test_no_password_reaches_the_log_whatever_goes_wrong(
    station: Station, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    floor = await station()
    gate.controller.refuses["connect"] = Unavailable("no route to host")
    await floor.door.execute(AddMachine(SPEC))
    await floor.door.execute(EditMachine(1, replace(SPEC, settings={"host": "x", "word": SECRET})))
    with pytest.raises(Exception, match="machine") as broken:
        await floor.writer.write(_Broken(json.dumps(dict(SPEC.settings))))
    assert SECRET not in str(broken.value)
    await until(lambda: "no route to host" in caplog.text)
    assert "INSERT INTO machine" in caplog.text
    assert SECRET not in caplog.text
    for record in (SPEC, Settings.make({"program_folder": "/srv", "enable_password": SECRET})):
        assert SECRET not in repr(record)
    await floor.engine.stop()
    assert SECRET not in caplog.text


async def test_what_is_read_for_a_view_never_holds_a_password(floor: FloorOf) -> None:
    def views(connection: Connection) -> str:
        rows = machine_rows.machines_with_stations(connection, own="A", clock=lambda _: now_ms())
        return json.dumps(plain((rows, floor_query.floor(connection, 0))))

    assert SECRET not in await floor.reader.read(views)
    (stored,) = await floor.reader.read(machine_rows.stored_machines)
    assert stored.spec.settings == SPEC.settings
