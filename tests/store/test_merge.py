"""Importing a table again, in each kind of database."""

from dataclasses import replace

from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.store.import_mappings import remembered_mappings
from cnc_station.engine.store.merge import MergeJobs
from tests.store.shop import Shop

FIELDS = frozenset(("name", "machine_type", "quantity", "priority"))
HUB = JobSpec("Hub", "mill", quantity=3, external_id="7/10", key="a")
PIN = JobSpec("Pin", "lathe", quantity=4, external_id="7/20", after_keys=("a",))
CAP = JobSpec("Cap", "lathe", external_id="7/30", after_keys=("a",))


def merge(*specs: JobSpec, fields: frozenset[str] = FIELDS) -> MergeJobs:
    return MergeJobs(specs, fields, "anna", "", "f" * 64, {"name": "Part"})


async def test_jobs_are_found_by_their_external_id_and_tenant(shop: Shop) -> None:
    first = await shop.write(merge(HUB, PIN))
    assert await shop.write(merge(HUB, PIN)) == first
    (other,) = await shop.write(merge(replace(HUB, tenant="Kato")))
    assert other not in first
    edited = replace(HUB, quantity=9, material="brass")
    hub, pin, cap = await shop.write(merge(edited, PIN, CAP))
    assert (hub, pin) == first
    row = shop.job_row(hub)
    assert (row.quantity, row.material) == (9, "")
    assert shop.job_row(cap).blocked
    assert [event["type"] for event in shop.events(job_id=pin)] == ["created"]


async def test_a_job_at_a_machine_stays_as_it_is(shop: Shop) -> None:
    await shop.machine()
    (job_id,) = await shop.write(merge(replace(HUB, key="")))
    await shop.claim_one()
    changed = replace(HUB, quantity=50, key="")
    assert await shop.write(merge(changed)) == (job_id,)
    assert shop.job_row(job_id).quantity == 3


async def test_the_mapping_of_a_sender_is_the_last_one(shop: Shop) -> None:
    await shop.write(merge(HUB))
    await shop.write(replace(merge(HUB), mapping={"name": "Item"}))
    with shop.database.connect_writer() as connection:
        assert remembered_mappings(connection) == {"f" * 64: {"name": "Item"}}
