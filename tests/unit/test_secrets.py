import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from cnc_station import addresses, secrets
from cnc_station.config import Config
from cnc_station.engine.domain.errors import Conflict, InvalidInput, Unavailable

DATABASE = "postgresql://cnc@db.hall/shop"


class Ring(KeyringBackend):
    """A keyring that exists as long as the test."""

    priority = 1.0

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # it has no annotations
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError("not there")


@pytest.fixture
def ring() -> Iterator[Ring]:
    before, ring = keyring.get_keyring(), Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(tmp_path / "data", DATABASE, "redis://cache")


def test_an_address_with_its_password_asks_nobody(config: Config, ring: Ring) -> None:
    ring.kept["cnc-station", "postgresql://cnc@db.hall"] = "kept"
    told = replace(config, database_url="postgresql://cnc:told@db.hall/shop")
    assert addresses.password(secrets.complete(told).database_url) == "told"


def test_a_password_goes_into_the_keyring_and_comes_from_there(config: Config, ring: Ring) -> None:
    assert secrets.keep(config, "database", "päss wörd/@:") == secrets.KEYRING
    assert secrets.keep(config, "redis", "other") == secrets.KEYRING
    assert list(ring.kept.values()) == ["päss wörd/@:", "other"]
    assert not config.data_folder.exists()
    found = secrets.complete(config)
    assert addresses.password(found.database_url) == "päss wörd/@:"
    assert found.redis_url == "redis://:other@cache"


def test_without_a_keyring_it_goes_into_a_file_for_this_user_alone(config: Config) -> None:
    place = Path(secrets.keep(config, "database", 'a "quoted" one\\'))
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list(config.data_folder.iterdir()) == [place]
    assert addresses.password(secrets.complete(config).database_url) == 'a "quoted" one\\'


@pytest.mark.skipif(os.name != "posix", reason="a file has no limit elsewhere")
def test_a_password_that_could_not_be_stored_is_left_nowhere(tmp_path: Path) -> None:
    command = f"ulimit -f 0; exec {sys.executable} -m cnc_station secret set redis --file"
    done = subprocess.run(
        ["sh", "-c", command],
        input="hunter2\n",
        capture_output=True,
        text=True,
        env={"CNC_REDIS_URL": "redis://shop", "CNC_DATA_FOLDER": str(tmp_path)},
        check=False,
    )
    assert done.returncode == 3
    assert "secrets.toml can't be written: File too large" in done.stderr
    assert list(tmp_path.iterdir()) == []


@given(st.text(min_size=1).filter(str.isprintable))
@settings(suppress_health_check=list(HealthCheck), max_examples=50)
def test_the_file_returns_the_stored_password(config: Config, word: str) -> None:
    secrets.keep(config, "database", word, in_file=True)
    assert secrets.find(config, "database")[0] == word


@pytest.mark.skipif(os.name != "posix", reason="files have no such modes elsewhere")
def test_a_file_that_others_can_read_is_refused(config: Config) -> None:
    place = Path(secrets.keep(config, "database", "hunter2"))
    place.chmod(0o640)
    with pytest.raises(Unavailable, match="can be read by other users") as caught:
        secrets.complete(config)
    assert f"chmod 600 {place}" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_an_invalid_file_is_refused_without_repeating_its_content(config: Config) -> None:
    place = Path(secrets.keep(config, "database", "first"))
    place.write_text("hunter2")
    with pytest.raises(Unavailable, match="is not valid") as caught:
        secrets.complete(config)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__


def test_the_file_comes_first_so_that_no_keyring_has_to_be_unlocked(
    config: Config, ring: Ring
) -> None:
    secrets.keep(config, "database", "in the ring")
    secrets.keep(config, "database", "in the file", in_file=True)
    assert secrets.find(config, "database")[0] == "in the file"
    secrets.keep(config, "database", "newer")
    assert secrets.find(config, "database") == ("newer", secrets.KEYRING)
    assert ring.kept
    assert not (config.data_folder / secrets.FILE_NAME).exists()


def test_another_server_never_gets_the_password(config: Config, ring: Ring) -> None:
    secrets.keep(config, "database", "ours")
    secrets.keep(config, "redis", "its own", in_file=True)
    elsewhere = replace(config, database_url="postgresql://cnc@elsewhere/shop", redis_url="")
    assert ring.kept
    assert secrets.complete(elsewhere) == elsewhere


def test_a_deleted_password_is_gone_from_everywhere(config: Config, ring: Ring) -> None:
    secrets.keep(config, "database", "one")
    secrets.keep(config, "database", "two", in_file=True)
    file = str(config.data_folder / secrets.FILE_NAME)
    assert secrets.forget(config, "database") == (file, secrets.KEYRING)
    assert secrets.forget(config, "database") == ()
    assert ring.kept == {}
    assert secrets.complete(config) == config


def test_an_invalid_password_is_refused(config: Config, tmp_path: Path) -> None:
    for word in ("", "two\nlines"):
        with pytest.raises(InvalidInput):
            secrets.keep(config, "database", word)
    told = replace(config, redis_url="redis://:told@cache")
    with pytest.raises(Conflict, match="CNC_REDIS_URL contains a password"):
        secrets.keep(told, "redis", "other")
    alone = Config(tmp_path, "sqlite:////tmp/station.db")
    with pytest.raises(Conflict, match="set CNC_DATABASE_URL first"):
        secrets.keep(alone, "database", "word")
    assert secrets.complete(alone) is alone
