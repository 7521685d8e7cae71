"""Importing the same table again changes what has not started, and makes nothing twice."""

from cnc_station.engine.commands import ImportJobs
from cnc_station.engine.queries import JobById, ListEvents, ListJobs, PreviewImport
from cnc_station.engine.views import ImportPreview, JobFilter, Sort, SortKey
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf

HEAD = "ERP no,Part,Machine,Qty,Due,Op,WO,After\n"
FIRST = f"{HEAD}7001,Hub,mill,5,2027-03-01,10,W7,\n7002,Hub,lathe,5,2027-03-01,20,W7,10\n"


async def ids_of(floor: FloorOf, text: str) -> tuple[int, ...]:
    return await floor.door.execute(ImportJobs("erp.csv", text.encode()))


async def preview_of(floor: FloorOf, text: str) -> ImportPreview:
    return await floor.door.ask(PreviewImport("erp.csv", text.encode()))


async def test_a_table_imported_twice_makes_its_jobs_once(station: Station) -> None:
    floor = await station()
    first = await ids_of(floor, FIRST)
    preview = await preview_of(floor, FIRST)
    assert (preview.total, preview.stored, preview.changed, preview.changes) == (2, 2, 0, ())
    assert await ids_of(floor, FIRST) == first
    page = await floor.door.ask(ListJobs(JobFilter(), (Sort(SortKey.NAME),), 0, 100))
    assert page.total == 2
    events = await floor.door.ask(ListEvents(job_id=first[0]))
    assert [event.type for event in events] == ["created"]


async def test_what_the_table_states_changes_and_the_rest_stays(station: Station) -> None:
    floor = await station()
    first = await ids_of(floor, FIRST)
    again = FIRST.replace("Hub,mill,5,2027-03-01", "Hub B,mill,8,2027-03-02")
    again += "7003,Hub,drill,5,2027-03-01,30,W7,20\n"
    preview = await preview_of(floor, again)
    (change,) = preview.changes
    assert (preview.total - preview.stored, preview.changed, preview.kept) == (1, 1, 0)
    assert (change.row, change.job_id, change.kept) == (1, first[0], "")
    assert {(label, before, after) for label, before, after in change.fields} == {
        ("Name", "Hub", "Hub B"),
        ("Quantity", "5", "8"),
        ("Due", "2027-03-01 23:59", "2027-03-02 23:59"),
    }
    *same, new = await ids_of(floor, again)
    assert tuple(same) == first
    edited = await floor.door.ask(JobById(first[0]))
    added = await floor.door.ask(JobById(new))
    assert edited is not None
    assert added is not None
    assert (edited.row.name, edited.row.quantity) == ("Hub B", 8)
    assert [link.id for link in added.after] == [first[1]]
    (_, event) = await floor.door.ask(ListEvents(job_id=first[0]))
    assert (event.type, event.reason) == ("edited", "due_at, name, quantity")


async def test_a_job_that_has_ended_is_neither_changed_nor_made_again(station: Station) -> None:
    floor = await station()
    first = await ids_of(floor, FIRST)
    await floor.act("cancel", first[1], reason="no stock")
    again = FIRST.replace("lathe,5", "lathe,9")
    preview = await preview_of(floor, again)
    assert [(change.job_id, change.kept) for change in preview.changes] == [
        (first[1], "is cancelled")
    ]
    assert (preview.ready, preview.changed, preview.kept) == (True, 0, 1)
    assert await ids_of(floor, again) == first
    job = await floor.door.ask(JobById(first[1]))
    assert job is not None
    assert (job.row.quantity, job.row.state) == (5, "cancelled")


async def test_a_mapping_is_offered_to_the_next_table_of_the_same_sender(station: Station) -> None:
    floor = await station()
    text = "Colour,Part,Machine,Qty\nred,Hub,mill,2\n"
    guess = await preview_of(floor, text)
    assert "material" not in guess.mapping
    mapping = {**guess.mapping, "material": "Colour", "quantity": ""}
    await floor.door.execute(ImportJobs("a.csv", text.encode(), mapping))
    found = await preview_of(floor, text.replace("red,Hub", "blue,Pin"))
    assert found.remembered
    assert found.mapping == mapping
    assert found.ready
    other = await preview_of(floor, text.replace("Colour,Part", "Colour,Item"))
    assert not other.remembered
