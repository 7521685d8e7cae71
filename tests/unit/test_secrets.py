import io
import os
import re
import stat
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import keyring
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from keyring.backend import KeyringBackend
from keyring.errors import PasswordDeleteError

from cnc_station import addresses, private_files, secrets
from cnc_station.cli.doctor_private import passwords
from cnc_station.cli.invocation import Call, Verdict
from cnc_station.cli.run import run
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


BROKEN = {
    "no quotes": (b'"postgresql://cnc@db.hall" = "first"\nhunter2\n"redis://cache" = "r"\n', 2),
    "twice": (b'"redis://cache" = "r"\n\n"redis://cache" = "hunter2"\n', 3),
    "not text": (b'"redis://cache" = "r"\n"x" = "hunter2\xff"\n', 2),
    "cut off": (b'"redis://cache" = "r"\n"postgresql://cnc@db.hall" = "hunter2', 2),
}


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_file_is_named_by_its_line_and_mended_with_a_copy(
    config: Config, capsys: pytest.CaptureFixture[str], broken: str
) -> None:
    content, line = BROKEN[broken]
    file = config.data_folder / secrets.FILE_NAME
    private_files.make_folder(config.data_folder)
    private_files.replace(file, content)
    environ = {
        "CNC_DATA_FOLDER": str(config.data_folder),
        "CNC_DATABASE_URL": f"{DATABASE}?sslmode=require",
    }
    call = Call(Namespace(config=None, json=False), config, {})
    (found,) = passwords(call)
    assert (found.verdict, f"Line {line} of {file} is not" in found.text) == (Verdict.BAD, True)
    with pytest.raises(Unavailable, match=f"Line {line} of"):
        secrets.complete(config)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdin", io.StringIO("new\n"))
        assert run(["secret", "set", "database", "--file"], environ) == 0
    said = capsys.readouterr().out
    (copy,) = config.data_folder.glob("secrets.toml.broken-*")
    assert str(copy) in said
    assert copy.read_bytes() == content
    assert {stat.S_IMODE(path.stat().st_mode) for path in (copy, file)} == {0o600}
    assert secrets.find(config, "database")[0] == "new"
    assert secrets.find(config, "redis")[0] in {"r", "hunter2"}
    assert "hunter2" not in said + found.text
    assert list(passwords(call)) == []


@pytest.mark.parametrize("allowed", [False, True])
def test_a_password_never_leaves_this_computer_in_clear_text_unless_allowed(
    config: Config, allowed: bool
) -> None:
    far = replace(
        config,
        database_url="postgresql://cnc:hunter2@192.0.2.1/shop",
        redis_url="redis://:hunter2@192.0.2.1",
        clear_text="allow" if allowed else "refuse",
    )
    if allowed:
        secrets.refuse_clear_text(far)
        return
    with pytest.raises(Unavailable, match="sslmode=verify-full") as refused:
        secrets.refuse_clear_text(far)
    assert not refused.value.transient
    assert "hunter2" not in str(refused.value)
    encrypted = replace(far, database_url=f"{far.database_url}?sslmode=verify-full")
    with pytest.raises(Unavailable, match="rediss://"):
        secrets.refuse_clear_text(encrypted)
    secrets.refuse_clear_text(replace(encrypted, redis_url="rediss://192.0.2.1"))
    secrets.refuse_clear_text(replace(far, database_url="sqlite:////tmp/station.db"))


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


@pytest.mark.parametrize("kind", ["pipe", "device", "deep", "huge"])
def test_a_file_of_passwords_that_is_not_one_is_refused_at_once(config: Config, kind: str) -> None:
    file = config.data_folder / secrets.FILE_NAME
    file.parent.mkdir(exist_ok=True)
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "device":
            file.symlink_to("/dev/zero")
        case "deep":
            file.write_text("a = " + "[" * 5_000)
        case _:
            file.write_text("")
            os.truncate(file, 2**40)
    if kind in ("deep", "huge"):
        file.chmod(0o600)
    with pytest.raises(Unavailable, match=re.escape(str(file))):
        secrets.find(config, "database")
