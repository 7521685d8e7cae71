"""Settings written into the file of a station: everything else in it stays."""

import stat
import tomllib
from pathlib import Path

import pytest

from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.domain.fleet import FleetServers
from cnc_station.settings_file import edited, store


def test_a_setting_takes_the_place_of_its_line_and_comments_stay() -> None:
    before = '# one\nstation = "A" # two\ndatabase = "a.db"\ndatabase_url = "b.db"\nlease_s = 60\n'
    after = edited(before, {"database_url": "postgresql://cnc@s/cnc", "redis_url": 'r"é'})
    assert after.splitlines() == [
        "# one",
        'station = "A" # two',
        'database_url = "postgresql://cnc@s/cnc"',
        "lease_s = 60",
        'redis_url = "r\\"é"',
    ]


def test_an_empty_file_gets_its_first_line() -> None:
    assert tomllib.loads(edited("", {"station": "A"})) == {"station": "A"}


@pytest.mark.parametrize(
    "text",
    [
        "station = [\n",  # not valid
        'operator = """\nstation = "A"\n"""\n',  # the line is part of a text
        "[table]\nx = 1\n",  # a new line would be of the table
        'station = """\nA\n"""\n',  # the value has more lines
    ],
)
def test_what_cannot_be_changed_for_certain_is_left_alone(text: str, tmp_path: Path) -> None:
    file = tmp_path / "cnc-station.toml"
    file.write_text(text)
    with pytest.raises(Conflict):
        store(file, {"station": "B"})
    assert file.read_text() == text
    assert list(tmp_path.iterdir()) == [file]


def test_a_new_file_is_private_and_an_old_one_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    new = tmp_path / "made" / "cnc-station.toml"
    store(new, {"station": "A"})
    assert stat.S_IMODE(new.stat().st_mode) == 0o600
    old, link = tmp_path / "old.toml", tmp_path / "link.toml"
    old.write_text('theme = "dark"\n')
    old.chmod(0o644)
    link.symlink_to(old)
    store(link, {"station": "A"})
    assert link.is_symlink()
    assert stat.S_IMODE(old.stat().st_mode) == 0o644
    assert tomllib.loads(old.read_text()) == {"theme": "dark", "station": "A"}


@pytest.mark.parametrize(
    ("typed", "full"),
    [
        ("server", "postgresql://cnc@server/cnc"),
        ("anna@server:5433/shop", "postgresql://anna@server:5433/shop"),
        ("postgresql://x@y/z", "postgresql://x@y/z"),
        ("", ""),
    ],
)
def test_the_name_of_a_server_is_an_address(typed: str, full: str) -> None:
    assert FleetServers(typed).full_database_url() == full
    assert FleetServers("", redis_url="server").full_redis_url() == "redis://server"
