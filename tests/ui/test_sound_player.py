"""Sounds through the system's player: which one plays, and what becomes of a broken one."""

import asyncio
import runpy
import wave
from array import array
from pathlib import Path

import pytest

from cnc_station.bundled import bundled
from cnc_station.ui.alerts.sound_player import SoundPlayer
from tests.ui.fake_players import FakePlayers, is_alive
from tests.until import until

pytestmark = pytest.mark.skipif("sys.platform == 'win32'", reason="winsound has no process")


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    path = tmp_path / "bell.wav"
    path.write_bytes(b"RIFF")
    return path


async def test_the_preferred_player_that_is_there_plays_the_file_once(
    players: FakePlayers, sound: Path
) -> None:
    players.add("aplay")
    players.add("paplay")
    assert await SoundPlayer().play(sound) == ""
    players.add("pw-play")
    assert await SoundPlayer().play(sound, device="Hall 1") == ""
    assert await SoundPlayer().play(sound, player="aplay") == ""
    assert players.played() == [
        f"paplay {sound}",
        f"pw-play --target=Hall 1 {sound}",
        f"aplay {sound}",
    ]


async def test_without_a_player_or_a_file_the_reason_is_told(
    players: FakePlayers, sound: Path
) -> None:
    assert "has no sound player" in await SoundPlayer().play(sound)
    players.add("aplay", "echo 'audio open error: No such device' >&2; exit 1")
    assert await SoundPlayer().play(sound) == "aplay: audio open error: No such device"
    gone = sound.with_name("gone.wav")
    assert await SoundPlayer().play(gone) == f"The file {gone} does not exist."


async def test_a_player_that_hangs_is_killed_with_its_children(
    players: FakePlayers, sound: Path
) -> None:
    pids = players.note("pids")
    players.add(
        "aplay", f"trap '' TERM\n/bin/sleep 300 &\necho $! $$ > {pids}\nwhile :; do wait; done"
    )
    reason = await SoundPlayer(timeout_s=0.5).play(sound)
    assert reason == "aplay did not end within 0.5 s and was stopped."
    await until(lambda: not any(is_alive(int(pid)) for pid in pids.read_text().split()))


async def test_a_player_that_floods_costs_no_memory_and_is_stopped(
    players: FakePlayers, sound: Path
) -> None:
    players.add("aplay", "while :; do echo noise >&2; done")
    assert "was stopped" in await SoundPlayer(timeout_s=0.3).play(sound)


async def test_two_sounds_are_never_heard_at_once(players: FakePlayers, sound: Path) -> None:
    lock = players.note("lock")
    players.add("aplay", f"/bin/mkdir {lock} || exit 1\n/bin/sleep 0.05\n/bin/rmdir {lock}")
    player = SoundPlayer()
    assert await asyncio.gather(*(player.play(sound) for _ in range(3))) == ["", "", ""]


async def test_closing_ends_the_sound_and_plays_no_other(players: FakePlayers, sound: Path) -> None:
    players.add("aplay", "exec /bin/sleep 300")
    player = SoundPlayer()
    playing = asyncio.create_task(player.play(sound))
    await until(players.played)
    player.close()
    assert await playing == ""
    assert await player.play(sound) == "The window is closing."
    assert len(players.played()) == 1


async def test_a_player_gets_no_settings_and_the_libraries_of_the_system(
    players: FakePlayers, sound: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = players.note("environment")
    players.add("aplay", f"/usr/bin/env > {found}")
    monkeypatch.setattr("sys.frozen", True, raising=False)
    monkeypatch.setenv("CNC_DATABASE", "secret")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/bundle")
    monkeypatch.setenv("LD_LIBRARY_PATH_ORIG", "/usr/local/lib")
    assert await SoundPlayer().play(sound) == ""
    lines = found.read_text().splitlines()
    assert "LD_LIBRARY_PATH=/usr/local/lib" in lines
    assert not any(line.startswith(("CNC_", "LD_LIBRARY_PATH_ORIG")) for line in lines)


@pytest.mark.parametrize("name", ["info", "warning", "critical"])
def test_the_bundled_sounds_are_what_their_maker_makes_and_not_too_loud(
    name: str, tmp_path: Path
) -> None:
    folder = bundled("sounds")
    maker = runpy.run_path(str(folder.joinpath("make.py")))
    maker["make"](tmp_path)
    assert (tmp_path / f"{name}.wav").read_bytes() == folder.joinpath(f"{name}.wav").read_bytes()
    with wave.open(str(tmp_path / f"{name}.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        assert file.getnframes() / file.getframerate() < 2
        samples = array("h", file.readframes(file.getnframes()))
    assert max(map(abs, samples)) <= 32_767 // 2 + 1
    assert abs(samples[0]) < 300
    assert abs(samples[-1]) < 300
