"""Decode attached pictures: within limits, never on the window's thread, one at a time."""

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize, Qt
from PySide6.QtGui import QImage, QImageIOHandler, QImageReader

from cnc_station.engine.domain.attachments import AttachmentKind
from cnc_station.engine.door import Door
from cnc_station.engine.queries import AttachmentContent
from cnc_station.engine.views.attachments import AttachmentRow

MOST_MB = 256  # of a decoded picture; a JPEG is decoded at the size that is wanted
_KEPT = 48
_SMALL_BYTES = 1_000_000  # larger ones are not kept


class _Key(NamedTuple):
    sha256: str
    width: int
    height: int


_kept: OrderedDict[_Key, QImage] = OrderedDict()  # small ones, by content: any window's


class Pictures:
    """Fetches and decodes the pictures of one view."""

    def __init__(self, door: Door) -> None:
        self._door = door
        self._turn = asyncio.Lock()

    async def load(self, row: AttachmentRow, room: QSize) -> QImage | None:
        """Return a picture that fits into `room` (device pixels); None if it is not a picture, is
        gone, or can't be decoded. The last ones are kept."""
        if row.kind is AttachmentKind.PDF:
            return None
        key = _Key(row.sha256, room.width(), room.height())
        if (kept := _kept.get(key)) is not None:
            _kept.move_to_end(key)
            return kept
        async with self._turn:
            file = await self._door.ask(AttachmentContent(row.id))
            if file is None:
                return None
            image = await asyncio.to_thread(decoded, file.content, row.kind, room)
        if image is not None and image.sizeInBytes() <= _SMALL_BYTES:
            _kept[key] = image
            while len(_kept) > _KEPT:
                _kept.popitem(last=False)
        return image


def decoded(content: bytes, kind: AttachmentKind, room: QSize) -> QImage | None:
    """Return a picture, upright, that fits into `room`; None if its data is not valid. Takes up to
    half a second."""
    QImageReader.setAllocationLimit(MOST_MB)
    buffer = QBuffer()
    buffer.setData(QByteArray(content))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(kind.value.encode()))
    reader.setAutoDetectImageFormat(False)  # no other decoder sees it
    reader.setAutoTransform(True)
    size = reader.size()
    turned = bool(reader.transformation() & QImageIOHandler.Transformation.TransformationRotate90)
    bounds = room.transposed() if turned else room
    if size.width() > bounds.width() or size.height() > bounds.height():
        reader.setScaledSize(size.scaled(bounds, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    if image.isNull():
        return None
    kind_on_screen = QImage.Format.Format_ARGB32_Premultiplied
    return image.convertToFormat(kind_on_screen)  # here: the window need not convert it
