"""Accounts: turned on and off, signing on, and what each person may do then."""

import asyncio

import pytest
from argon2 import PasswordHasher

from cnc_station.engine import commands as c
from cnc_station.engine.domain.accounts import FREE_ATTEMPTS, Account, Credentials, Proof
from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import (
    Conflict,
    InvalidInput,
    Locked,
    NotPermitted,
    NotSignedOn,
)
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Role, local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.queries import (
    AboutStation,
    ListAccounts,
    ListEvents,
    ListMachines,
    WhoIsHere,
    WhoMaySignOn,
)
from cnc_station.engine.services import secret_hashes
from tests.engine.conftest import Station
from tests.engine.floor import FloorOf

PASSWORD = "correct horse battery"
BOSS = Account("Ada", Role.ADMINISTRATOR, email="ada@shop.example")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """As strong as a shop's, every test would take seconds."""
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secret_hashes, "HASHER", cheap)


def window(floor: FloorOf) -> Door:
    return floor.engine.door(local_principal("operator", "window", present=True))


def network(floor: FloorOf) -> Door:
    return floor.engine.door(local_principal("operator", "http 192.0.2.7"))


def by_password(name: str, password: str = PASSWORD) -> Credentials:
    return Credentials(Proof.PASSWORD, password, name)


async def job(door: Door) -> int:
    (job_id,) = await door.execute(c.SubmitJobs([JobSpec("bracket", "lathe", estimated_s=1.0)]))
    return job_id


async def with_accounts(floor: FloorOf) -> Door:
    """Turn accounts on; return the door of the administrator."""
    await window(floor).execute(c.TurnOnAccounts(BOSS, PASSWORD))
    door = window(floor)
    await door.sign_on(by_password("ada"))
    return door


async def test_without_accounts_everybody_may_everything_as_before(station: Station) -> None:
    floor = await station()
    here = await window(floor).ask(WhoIsHere())
    assert (here.accounts, here.signed_on) == (False, True)
    assert "MANAGE_ACCOUNTS" in here.rights
    with pytest.raises(Conflict, match="uses no accounts"):
        await window(floor).sign_on(by_password("ada"))


async def test_with_accounts_somebody_unknown_sees_the_floor_and_may_only_stop_machines(
    station: Station,
) -> None:
    floor = await station()
    await with_accounts(floor)
    door = window(floor)
    assert (await door.ask(AboutStation())).station
    here = await door.ask(WhoIsHere())
    assert (here.accounts, here.signed_on) == (True, False)
    with pytest.raises(NotPermitted, match="nobody signed on may not change jobs: an operator may"):
        await door.execute(c.ActOnJobs(JobAction.PAUSE, [1]))
    answers = await door.execute(c.ActOnJobs(JobAction.HOLD, [77]))
    assert not answers[0].applied  # looked at: there is no such job
    with pytest.raises(NotPermitted):
        await door.execute(c.ActOnMachine(MachineAction.CLEAR, 1))


async def test_over_the_network_somebody_unknown_may_not_even_look(station: Station) -> None:
    floor = await station()
    await with_accounts(floor)
    for asked in (ListMachines(), AboutStation(), WhoMaySignOn(), ListAccounts()):
        with pytest.raises(NotPermitted):
            await network(floor).ask(asked)
    with pytest.raises(NotPermitted):
        await network(floor).execute(c.ActOnJobs(JobAction.HOLD, [1]))


async def test_each_way_of_signing_on_leads_to_the_same_person(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    secrets = {Proof.PASSWORD: "a sentence of ben", Proof.PIN: "4711", Proof.BADGE: "BADGE-0042"}
    account = Account("Ben", Role.OPERATOR, email="ben@shop.example")
    ben = await ada.execute(c.CreateAccount(account, secrets))
    for credentials in (
        by_password("  bEN ", "a sentence of ben"),
        by_password("BEN@shop.example", "a sentence of ben"),
        Credentials(Proof.PIN, "4711", "Ben"),
        Credentials(Proof.BADGE, "BADGE-0042\n"),
    ):
        signed_on = await window(floor).sign_on(credentials)
        assert signed_on.account.id == ben
    for wrong in (
        by_password("ben", "another sentence"),
        Credentials(Proof.PIN, "4712", "Ben"),
        Credentials(Proof.BADGE, "BADGE-0043"),
        Credentials(Proof.PASSWORD, "4711", "Ben"),
    ):
        with pytest.raises(NotSignedOn, match="do not belong together"):
            await window(floor).sign_on(wrong)


async def test_events_have_the_name_the_role_and_the_place_of_who_acted(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    job_id = await job(ada)
    event = (await ada.ask(ListEvents(job_id=job_id)))[-1]
    assert (event.actor, event.role, event.origin) == ("Ada", "administrator", "window")
    acts = [one for one in await ada.ask(ListEvents()) if one.type == "accounts_changed"]
    assert acts[0].reason == "Ada added"
    assert acts[0].details["after"]["role"] == "administrator"
    assert all(PASSWORD not in repr(one) for one in await ada.ask(ListEvents()))


async def test_a_supervisors_word_counts_for_one_command_and_names_both(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    await ada.execute(c.CreateAccount(Account("Ben", Role.OPERATOR), {Proof.PIN: "4711"}))
    job_id = await job(ada)
    ben = window(floor)
    await ben.sign_on(Credentials(Proof.PIN, "4711", "Ben"))
    delete = c.ActOnJobs(JobAction.DELETE, [job_id])
    with pytest.raises(NotPermitted, match="Ben may not delete jobs"):
        await ben.execute(delete)
    (answer,) = await ben.execute(delete, word=by_password("Ada"))
    assert answer.applied
    deleted = [one for one in await ada.ask(ListEvents()) if one.type == "deleted"]
    assert deleted[0].actor == "Ada for Ben"
    with pytest.raises(NotPermitted):
        await ben.execute(delete)


async def test_signing_off_ends_what_a_person_may(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    await ada.sign_off()
    with pytest.raises(NotPermitted):
        await ada.ask(ListAccounts())


async def test_a_disabled_account_ends_where_it_is_signed_on(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    account = Account("Ben", Role.SUPERVISOR)
    ben_id = await ada.execute(c.CreateAccount(account, {Proof.PIN: "4711"}))
    ben = window(floor)
    await ben.sign_on(Credentials(Proof.PIN, "4711", "Ben"))
    await ada.execute(c.EditAccount(ben_id, Account("Ben", Role.VIEWER)))
    with pytest.raises(NotPermitted):
        await ben.execute(c.ActOnJobs(JobAction.PAUSE, [1]))
    await ada.execute(c.EditAccount(ben_id, Account("Ben", Role.VIEWER, enabled=False)))
    with pytest.raises(NotSignedOn):
        await ben.ask(ListMachines())
    with pytest.raises(NotSignedOn):
        await window(floor).sign_on(Credentials(Proof.PIN, "4711", "Ben"))


async def test_the_last_administrator_cannot_go(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    (row,) = await ada.ask(ListAccounts())
    for command in (
        c.RemoveAccount(row.id),
        c.EditAccount(row.id, Account("Ada", Role.SUPERVISOR)),
        c.EditAccount(row.id, Account("Ada", Role.ADMINISTRATOR, enabled=False)),
    ):
        with pytest.raises(Conflict, match="last administrator"):
            await ada.execute(command)
    boss = {Proof.PASSWORD: "another long sentence"}
    await ada.execute(c.CreateAccount(Account("Eve", Role.ADMINISTRATOR), boss))
    await ada.execute(c.RemoveAccount(row.id))
    with pytest.raises(NotSignedOn):
        await ada.ask(ListAccounts())


async def test_wrong_attempts_wait_longer_and_longer_but_stop_no_machine(station: Station) -> None:
    floor = await station()
    await with_accounts(floor)
    stranger = network(floor)
    wrong = by_password("ada", "a guess too many")
    for _ in range(FREE_ATTEMPTS):
        with pytest.raises(NotSignedOn):
            await stranger.sign_on(wrong)
    with pytest.raises(Locked) as locked:
        await stranger.sign_on(wrong)
    assert 0 < locked.value.retry_after_s <= 5
    with pytest.raises(Locked):
        await stranger.sign_on(by_password("ada"))
    here = window(floor)
    await here.sign_on(by_password("ada"))  # the network cannot lock her out of her machines
    assert await here.execute(c.ActOnJobs(JobAction.HOLD, [77]))


async def test_unknown_badges_lock_nobody_elses_badge(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    await ada.execute(c.CreateAccount(Account("Ben", Role.OPERATOR), {Proof.BADGE: "BADGE-0042"}))
    for number in range(2 * FREE_ATTEMPTS):
        with pytest.raises(NotSignedOn):
            await window(floor).sign_on(Credentials(Proof.BADGE, f"UNKNOWN-{number}"))
    signed_on = await window(floor).sign_on(Credentials(Proof.BADGE, "BADGE-0042"))
    assert signed_on.account.account.name == "Ben"


async def test_attempts_at_once_are_not_more_than_those_that_count(station: Station) -> None:
    floor = await station()
    await with_accounts(floor)
    wrong = by_password("ada", "a guess too many")
    tried = await asyncio.gather(
        *(network(floor).sign_on(wrong) for _ in range(40)), return_exceptions=True
    )
    looked_at = sum(isinstance(one, NotSignedOn) for one in tried)
    assert looked_at == FREE_ATTEMPTS
    assert sum(isinstance(one, Locked) for one in tried) == 40 - FREE_ATTEMPTS


async def test_a_lost_password_is_reset_by_the_owner_of_the_files(station: Station) -> None:
    floor = await station()
    await with_accounts(floor)
    owner = floor.engine.door(local_principal("cnc", "command line", owner=True))
    with pytest.raises(NotPermitted):
        await owner.ask(ListMachines())
    await owner.execute(c.ResetPassword("ada", "a new long sentence"))
    with pytest.raises(NotPermitted):
        await network(floor).execute(c.ResetPassword("ada", "a new long sentence"))
    door = window(floor)
    await door.sign_on(by_password("ada", "a new long sentence"))
    changes = [one for one in await door.ask(ListEvents()) if one.type == "accounts_changed"]
    assert "reset by the owner" in changes[-1].reason


async def test_turned_off_and_on_again_nothing_is_lost(station: Station) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    await ada.execute(c.TurnOffAccounts())
    assert await network(floor).ask(ListMachines()) == ()
    await window(floor).execute(c.TurnOnAccounts())
    with pytest.raises(NotPermitted):
        await network(floor).ask(ListMachines())
    await window(floor).sign_on(by_password("ada"))


@pytest.mark.parametrize(
    ("proof", "secret"),
    [
        (Proof.PASSWORD, "short"),
        (Proof.PASSWORD, "Passwort-123"),
        (Proof.PASSWORD, "ben-123456"),
        (Proof.PASSWORD, "aaaaaaaaaa"),
        (Proof.PIN, "471"),
        (Proof.PIN, "12345"),
        (Proof.PIN, "7777"),
        (Proof.PIN, "47a1"),
        (Proof.BADGE, "123"),
    ],
)
async def test_secrets_that_others_would_guess_are_refused(
    station: Station, proof: Proof, secret: str
) -> None:
    floor = await station()
    ada = await with_accounts(floor)
    with pytest.raises(InvalidInput) as refused:
        await ada.execute(c.CreateAccount(Account("Ben", Role.OPERATOR), {proof: secret}))
    assert refused.value.errors[0].field == proof
    assert secret not in str(refused.value)
