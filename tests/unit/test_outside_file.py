"""Files from outside: only ordinary ones are read, and never more or for longer than allowed."""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from unittest.mock import patch

import pytest

from cnc_station.engine import outside_file
from cnc_station.engine.outside_file import FileRefused, read_file, read_outside_file

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
MOST = 1_000


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """One of each thing that is not an ordinary file, and links to some."""
    with ExitStack() as stack:
        os.mkfifo(tmp_path / "pipe.nc")
        (tmp_path / "folder.nc").mkdir()
        listener = stack.enter_context(closing(socket.socket(socket.AF_UNIX)))
        listener.bind(str(tmp_path / "s.nc"))
        found = {
            "pipe": tmp_path / "pipe.nc",
            "folder": tmp_path / "folder.nc",
            "socket": tmp_path / "s.nc",
            "device": Path("/dev/zero"),
            "null device": Path(os.devnull),
            "link to a device": tmp_path / "device.nc",
            "link to a pipe": tmp_path / "to-pipe.nc",
            "link to itself": tmp_path / "loop.nc",
            "link to nothing": tmp_path / "nothing.nc",
        }
        found["link to a device"].symlink_to("/dev/zero")
        found["link to a pipe"].symlink_to(found["pipe"])
        found["link to itself"].symlink_to(found["link to itself"])
        found["link to nothing"].symlink_to(tmp_path / "gone")
        yield found


@posix
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("pipe", "is a pipe, not a file"),
        ("folder", "is a folder, not a file"),
        ("socket", "is a socket, not a file"),
        ("device", "is a device, not a file"),
        ("null device", "is a device, not a file"),
        ("link to a device", "is a device, not a file"),
        ("link to a pipe", "is a pipe, not a file"),
        ("link to itself", "can't be read: Too many levels of symbolic links"),
        ("link to nothing", "can't be read: No such file or directory"),
    ],
)
def test_what_is_not_a_file_is_refused_at_once_and_in_words(
    odd: dict[str, Path], kind: str, words: str
) -> None:
    begun = time.monotonic()
    with pytest.raises(FileRefused) as refused:
        read_file(odd[kind], MOST)
    assert refused.value.sentence.startswith(f"{odd[kind].name} {words}")
    assert time.monotonic() - begun < 2.0


@posix
@pytest.mark.parametrize("kind", ["pipe", "device", "link to a pipe"])
def test_a_device_or_a_pipe_is_not_even_opened(odd: dict[str, Path], kind: str) -> None:
    """Opening a serial port resets the controller behind it."""
    with patch.object(os, "open", side_effect=AssertionError("opened")), pytest.raises(FileRefused):
        read_file(odd[kind], MOST)


@posix
def test_a_file_that_is_a_pipe_by_the_time_it_is_opened_is_refused(odd: dict[str, Path]) -> None:
    file = odd["pipe"].with_name("file.nc")
    file.write_bytes(b"G0")
    really = os.open

    def swapped(path: Path, flags: int) -> int:
        assert path == file
        return really(odd["pipe"], flags)

    with patch.object(os, "open", swapped), pytest.raises(FileRefused, match="is a pipe"):
        read_file(file, MOST)


def test_an_ordinary_file_is_read_to_the_limit_and_no_further(tmp_path: Path) -> None:
    file = tmp_path / "a.nc"
    for size in (0, 1, MOST - 1, MOST):
        file.write_bytes(b"x" * size)
        assert read_file(file, MOST) == b"x" * size
    file.write_bytes(b"x" * (MOST + 1))
    with pytest.raises(FileRefused, match="is larger than"):
        read_file(file, MOST)


@posix
def test_a_link_to_an_ordinary_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.nc").write_bytes(b"G0")
    (tmp_path / "b.nc").symlink_to("a.nc")
    assert read_file(tmp_path / "b.nc", MOST) == b"G0"


def test_a_sparse_file_of_ten_gigabytes_is_refused_by_its_size(tmp_path: Path) -> None:
    file = tmp_path / "sparse.nc"
    with file.open("wb") as opened:
        opened.truncate(10 * 1024**3)
    with (
        patch.object(os, "read", side_effect=AssertionError("read")),
        pytest.raises(FileRefused, match=r"sparse.nc: is larger than 32 MB"),
    ):
        read_file(file, outside_file.MOST_PROGRAM_BYTES)


@pytest.mark.parametrize(("growth", "words"), [(MOST, "is larger"), (1, "changed while it was")])
def test_a_file_that_grows_while_it_is_read_is_refused(
    tmp_path: Path, growth: int, words: str
) -> None:
    file = tmp_path / "growing.nc"
    file.write_bytes(b"x" * 10)
    really = os.read

    def grown(handle: int, count: int) -> bytes:
        found = really(handle, count)
        if file.stat().st_size == 10:
            with file.open("ab") as opened:
                opened.write(b"x" * growth)
        return found

    with patch.object(os, "read", grown), pytest.raises(FileRefused, match=words):
        read_file(file, MOST)


@pytest.mark.skipif(sys.platform != "linux", reason="Linux makes such files")
@pytest.mark.parametrize("name", ["/proc/kcore", "/proc/self/pagemap", "/proc/kmsg"])
def test_a_file_of_the_kernel_neither_blocks_nor_fills_the_memory(name: str) -> None:
    begun = time.monotonic()
    with pytest.raises(FileRefused):
        read_file(Path(name), MOST)
    assert time.monotonic() - begun < 2.0


@pytest.mark.parametrize("name", ["a\0b.nc", "x" * 5_000 + ".nc"])
def test_a_name_that_no_file_can_have_is_refused(name: str) -> None:
    with pytest.raises(FileRefused):
        read_file(Path(name), MOST)


async def test_a_disk_that_does_not_answer_delays_neither_the_loop_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "share.nc"
    file.write_bytes(b"x")
    answer = threading.Event()
    monkeypatch.setattr(outside_file, "LONGEST_S", 0.2)

    def silent(_handle: int, _count: int) -> bytes:
        answer.wait(60)
        return b""

    with patch.object(os, "read", silent):
        with pytest.raises(FileRefused, match="no answer"):
            await read_outside_file(file, MOST)
        (reader,) = [thread for thread in threading.enumerate() if thread.name == "outside file"]
        assert reader.daemon
        answer.set()
        await asyncio.to_thread(reader.join, 10)


async def test_a_cancelled_reading_stops(tmp_path: Path) -> None:
    file = tmp_path / "long.nc"
    file.write_bytes(b"x")
    reading = threading.Event()

    def endless(_handle: int, _count: int) -> bytes:
        reading.set()
        time.sleep(0.01)
        return b"x"

    with patch.object(os, "read", endless):
        task = asyncio.ensure_future(read_outside_file(file, 1 << 40))
        await asyncio.to_thread(reading.wait, 10)
        (reader,) = [thread for thread in threading.enumerate() if thread.name == "outside file"]
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(reader.join, 10)
        assert not reader.is_alive()
    assert task.cancelled()
