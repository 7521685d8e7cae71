"""One attached picture, as large as the window."""

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QGuiApplication, QImage, QPainter, QPaintEvent, QPixmap, QWheelEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy, QWidget

from cnc_station.engine.domain.errors import CncStationError
from cnc_station.engine.views.attachments import AttachmentRow
from cnc_station.ui.dialogs.dialog import Dialog
from cnc_station.ui.page_context import PageContext
from cnc_station.ui.set_up.pictures import Pictures
from cnc_station.ui.theme import Ink, Role, theme
from cnc_station.ui.widgets.buttons import Button
from cnc_station.ui.widgets.layout import STRETCH, hbox, vbox
from cnc_station.ui.widgets.text import ElidedLabel, Note

_SIZE = (1240, 860)
_STEP = 1.25
_LARGEST = 8.0
_MOST_SIDE = 4_096  # px of a side that is decoded, so that a drawing can be read


class _Sheet(QWidget):
    """Paints a picture at a scale; 0 fits it into the room."""

    def __init__(self) -> None:
        super().__init__()
        self._picture = QPixmap()
        self._scale = 0.0
        self._room = QSize()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_picture(self, image: QImage, ratio: float) -> None:
        self._picture = QPixmap.fromImage(image)
        self._picture.setDevicePixelRatio(ratio)
        self.set_scale(0.0)

    def set_room(self, room: QSize) -> None:
        self._room = room
        self._resize()

    def set_scale(self, scale: float) -> None:
        self._scale = scale
        self._resize()

    def zoom(self, factor: float) -> None:
        fitting = self._fitting()
        scale = min((self._scale or fitting) * factor, _LARGEST)
        self.set_scale(0.0 if scale <= fitting else scale)

    def _whole(self) -> QSize:
        return self._picture.deviceIndependentSize().toSize()

    def _fitting(self) -> float:
        whole = self._whole()
        if whole.isEmpty() or self._room.isEmpty():
            return 1.0
        wide, high = self._room.width() / whole.width(), self._room.height() / whole.height()
        return min(wide, high, 1.0)

    def _resize(self) -> None:
        size = self._whole() * (self._scale or self._fitting())
        self.setMinimumSize(size if self._scale else QSize(0, 0))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.fillRect(self.rect(), theme().brush(Ink.SUNKEN))
        size = self._whole() * (self._scale or self._fitting())
        shown = QRect(self.rect().topLeft(), size)
        shown.moveCenter(self.rect().center())
        painter.drawPixmap(shown, self._picture)


class PictureDialog(Dialog):
    """Shows a picture, fitted; `+`, `-` and the wheel with Ctrl zoom."""

    def __init__(
        self, context: PageContext, row: AttachmentRow, pictures: Pictures, parent: QWidget
    ) -> None:
        super().__init__(row.name, parent, modal=True)
        self.sheet = _Sheet()
        self.said = Note(self.tr("Loading…"))
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setWidget(self.sheet)
        larger = Button("+", clicked=lambda: self.sheet.zoom(_STEP))
        smaller = Button("\N{MINUS SIGN}", clicked=lambda: self.sheet.zoom(1 / _STEP))
        larger.setAccessibleName(self.tr("Larger"))
        smaller.setAccessibleName(self.tr("Smaller"))
        fit = Button(self.tr("Fit"), clicked=lambda: self.sheet.set_scale(0.0))
        close = Button(self.tr("Close"), clicked=self.reject)
        foot = hbox(self.said, STRETCH, smaller, larger, fit, close, gap=8)
        title = ElidedLabel(row.name, Role.PAGE_TITLE)
        vbox(title, (self._area, 1), foot, on=self, gap=10, margins=16)
        self.fit(_SIZE, _SIZE)
        self.loading = context.operations.run(self._load(row, pictures))

    async def _load(self, row: AttachmentRow, pictures: Pictures) -> None:
        image = await pictures.load(row, QSize(_MOST_SIDE, _MOST_SIDE))
        if image is None:
            self.said.setText(self.tr("This picture can't be shown. Save a copy of it."))
            return
        self.said.setText(f"{row.width:,} × {row.height:,}")
        screen = QGuiApplication.primaryScreen()
        self.sheet.set_room(self._area.viewport().size())
        self.sheet.show_picture(image, screen.devicePixelRatio())

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.sheet.zoom(_STEP if event.angleDelta().y() > 0 else 1 / _STEP)
            event.accept()

    def complain(self, error: CncStationError) -> None:
        self.said.setText(str(error))

    def done(self, result: int) -> None:
        self.loading.cancel()
        super().done(result)
