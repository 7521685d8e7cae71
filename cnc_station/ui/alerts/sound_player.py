"""Play a sound file with the system's own player, in a process of its own.

A player that hangs, floods or crashes ends with its process group: the window only learns why
nothing was heard. On Windows winsound plays, in a thread.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

from cnc_station.bundled import outside_environment

PLAYERS = ("pw-play", "paplay", "aplay")
WINDOWS = "Windows"
TIMEOUT_S = 10.0
_MOST_WORDS = 4_096  # of what a player reports
_DEVICE_OPTION = {"pw-play": "--target=", "paplay": "--device=", "aplay": "--device="}


def found_players() -> tuple[str, ...]:
    """Return the players of this computer, the preferred one first."""
    if sys.platform == "win32":
        return (WINDOWS,)
    return tuple(name for name in PLAYERS if shutil.which(name))


def player_command(player: str, sound: Path, device: str) -> list[str]:
    """Return the command of a player of `PLAYERS`. `device` is its name for an output, "" for the
    system's."""
    options = [f"{_DEVICE_OPTION[player]}{device}"] if device else []
    return [shutil.which(player) or player, *options, str(sound)]


class SoundPlayer:
    """Plays one sound at a time; a call during another one waits. After `close` nothing is
    played."""

    def __init__(self, timeout_s: float = TIMEOUT_S) -> None:
        self._timeout_s = timeout_s
        self._turn = asyncio.Lock()
        self._state = threading.Lock()  # guards the two below
        self._process: subprocess.Popen[bytes] | None = None
        self._closed = False

    async def play(self, sound: Path, player: str = "", device: str = "") -> str:
        """Play a file. Return "" when it has been played, otherwise why not. A `player` that is not
        on this computer is replaced by the preferred one."""
        async with self._turn:
            return await asyncio.to_thread(self._play, sound, player, device)

    def close(self) -> None:
        """End a sound that is being played."""
        with self._state:
            self._closed = True
            if self._process is not None:
                _kill(self._process)

    def _play(self, sound: Path, wanted: str, device: str) -> str:
        if not sound.is_file():
            return f"The file {sound} does not exist."
        players = found_players()
        if not players:
            return "This computer has no sound player: install pw-play, paplay or aplay."
        if sys.platform == "win32":
            return _play_on_windows(sound)
        return self._run(wanted if wanted in players else players[0], sound, device)

    def _run(self, player: str, sound: Path, device: str) -> str:
        try:
            process = self._started(player_command(player, sound, device))
        except OSError as error:
            return f"{player} could not be started: {error.strerror or error}"
        if process is None:
            return "The window is closing."
        try:
            code = process.wait(self._timeout_s)
        except subprocess.TimeoutExpired:
            return f"{player} did not end within {self._timeout_s:g} s and was stopped."
        finally:
            said = self._ended(process)
        if self._closed or code == 0:
            return ""
        return f"{player}: {said}" if said else f"{player} ended with code {code}."

    def _started(self, command: list[str]) -> subprocess.Popen[bytes] | None:
        with self._state:
            if self._closed:
                return None
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=outside_environment(),
                start_new_session=True,
            )
            return self._process

    def _ended(self, process: subprocess.Popen[bytes]) -> str:
        """End what is left of the process group, and return the last line that it reported."""
        with self._state:
            _kill(process)
            self._process = None
        process.wait()
        assert process.stderr is not None
        with process.stderr as words:
            os.set_blocking(words.fileno(), False)
            said = words.read(_MOST_WORDS) or b""
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1].strip() if lines else ""


def _play_on_windows(sound: Path) -> str:
    if sys.platform == "win32":
        import winsound  # noqa: PLC0415 - only Windows has it

        try:
            winsound.PlaySound(str(sound), winsound.SND_FILENAME | winsound.SND_NODEFAULT)
        except RuntimeError as error:
            return f"Windows could not play {sound}: {error}"
    return ""


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill the process group of a player: at the latest at once after the end of its leader, before
    the number is used again."""
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
