"""A screen in a bare Debian, and what is to be seen on it."""

import struct
import subprocess
from pathlib import Path
from typing import Self

from PySide6.QtGui import QImage

from tests.installed.roots import Root

WIDTH, HEIGHT = 1366, 768
_FIELDS = struct.Struct(">25I")  # of the header of a window dump, xwd


class Screen:
    """Xvfb, whose framebuffer is a file."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self.display = ""

    def __enter__(self) -> Self:
        self._root.path("/tmp/.X11-unix").mkdir(mode=0o1777, exist_ok=True)
        size = f"{WIDTH}x{HEIGHT}x24"
        command = self._root.command(
            *("Xvfb", "-displayfd", "1", "-fbdir", "/tmp", "-screen", "0", size, "-nolisten", "tcp")
        )
        self._server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout is not None
        self.display = f":{self._server.stdout.readline().strip()}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.terminate()
        self._server.communicate()

    def colours(self) -> set[int]:
        """Of every tenth pixel each way."""
        image = self._image()
        return {
            image.pixel(x, y)
            for x in range(0, image.width(), 10)
            for y in range(0, image.height(), 10)
        }

    def save(self, place: Path) -> None:
        place.parent.mkdir(exist_ok=True)
        assert self._image().save(str(place))

    def _image(self) -> QImage:
        dump = self._root.path("/tmp/Xvfb_screen0").read_bytes()
        header = _FIELDS.unpack_from(dump)
        size, width, height, line, colours = header[0], header[4], header[5], header[12], header[19]
        pixels = dump[size + colours * 12 :]
        return QImage(pixels, width, height, line, QImage.Format.Format_RGB32).copy()
