"""Tokens in a fleet, and at the local socket."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher

from cnc_station.config import Config
from cnc_station.engine import commands as c
from cnc_station.engine.domain.accounts import Account, Credentials, Proof
from cnc_station.engine.domain.errors import NotPermitted, NotSignedOn
from cnc_station.engine.domain.principal import Role, local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.queries import BearerOf, CountJobs, ListAccounts, WhoIsHere
from cnc_station.engine.services import secret_hashes
from cnc_station.engine.views import JobFilter
from cnc_station.local_socket.client import connect
from cnc_station.local_socket.server import listening
from tests.engine.conftest import Station
from tests.until import until

PASSWORD = "correct horse battery"
BOSS = Account("Ada", Role.ADMINISTRATOR)
ADA = Credentials(Proof.PASSWORD, PASSWORD, "ada")


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secret_hashes, "HASHER", cheap)


async def accepts(door: Door, token: str) -> bool:
    try:
        await door.ask(BearerOf(token))
    except NotSignedOn:
        return False
    return True


async def test_stations_of_a_fleet_accept_the_tokens_of_each_other_until_they_are_revoked(
    shop_url: str, station: Station, tmp_path: Path
) -> None:
    doors = []
    for name in ("A", "B"):
        floor = await station(Config(tmp_path / name, shop_url, station=name))
        doors.append(floor.engine.door(local_principal("Ann", "http")))
    first, second = doors
    await first.execute(c.TurnOnAccounts(BOSS, PASSWORD))
    issued = await first.execute(c.LogIn(ADA))
    boss, _ = await second.of_token(issued.token, "http 192.0.2.7")
    assert [row.account.name for row in await boss.ask(ListAccounts())] == ["Ada"]
    back = await second.execute(c.LogIn(ADA))
    assert await accepts(first, back.token)
    await boss.execute(c.RotateTokenKey(3600.0))
    newer = await second.execute(c.LogIn(ADA))
    assert await accepts(first, issued.token)
    await until(lambda: accepts(first, newer.token))
    await boss.execute(c.RevokeToken(issued.jti))
    assert not await accepts(second, issued.token)

    async def refused() -> bool:
        return not await accepts(first, issued.token)

    await until(refused)


async def test_a_program_at_the_local_socket_signs_on_for_its_connection(
    station: Station, config: Config
) -> None:
    floor = await station()
    await floor.engine.local_door.execute(c.TurnOnAccounts(BOSS, PASSWORD))
    async with listening(config, floor.engine.door):
        program = await connect(config)
        assert program is not None
        with pytest.raises(NotPermitted, match="nobody signed on may not look"):
            await program.ask(CountJobs(JobFilter()))
        await program.execute(c.ResetPassword("ada", "another long secret"))
        with pytest.raises(NotSignedOn):
            await program.execute(c.SignOn(ADA))
        await program.execute(c.SignOn(Credentials(Proof.PASSWORD, "another long secret", "ada")))
        assert (await program.ask(WhoIsHere())).name == "Ada"
        (ada,) = await program.ask(ListAccounts())
        issued = await program.execute(c.IssueToken(ada.id, "ERP", 1))
        program.close()
        by_token = await connect(config)
        assert by_token is not None
        await by_token.ask(BearerOf(issued.token))
        assert (await by_token.ask(WhoIsHere())).signed_on
        by_token.close()
