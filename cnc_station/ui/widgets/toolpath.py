"""The tool path with its views, and the tool on it."""

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QButtonGroup, QWidget

from cnc_station.engine.views import Telemetry, Toolpath
from cnc_station.ui.formatting import percent
from cnc_station.ui.theme import Ink, Role
from cnc_station.ui.widgets.buttons import Button, Slot, add_key
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.text import ElidedLabel
from cnc_station.ui.widgets.toolpath_camera import View
from cnc_station.ui.widgets.toolpath_canvas import ToolpathCanvas

_ZOOM_STEP = 1.25


class ToolpathView(QWidget):
    """Shows a path with `show_path` and the tool on it with `show_tool`. Wheel, pinch, + and -
    zoom, dragging pans, a double click or 0 shows everything. Drawing never blocks the window."""

    def __init__(self) -> None:
        super().__init__()
        self.canvas = ToolpathCanvas()
        self._caption = ElidedLabel("", Role.CAPTION, Ink.MUTED)
        self._views = QButtonGroup(self)
        self._buttons: dict[View, Button] = {}
        head = hbox(gap=4)
        for view, words, key in (
            (View.TOP, self.tr("Top"), "T"),
            (View.FRONT, self.tr("Front"), "F"),
            (View.ISOMETRIC, self.tr("Isometric"), "I"),
            (View.LATHE, self.tr("X / Z"), ""),
        ):
            button = Button(words, quiet=True, clicked=partial(self.look_from, view))
            button.setCheckable(True)
            self._views.addButton(button)
            self._buttons[view] = button
            head.addWidget(button)
            if key:
                self._add_key(self.tr("Toolpath: ") + words, key, partial(self.look_from, view))
        head.addStretch(1)
        fit = Button(self.tr("Fit"), quiet=True, clicked=self.canvas.fit)
        set_tip(fit, self.tr("Show the whole path (0)"))
        head.addWidget(fit)
        vbox(head, (self.canvas, 1), self._caption, on=self, gap=4)
        self._add_key(self.tr("Toolpath: show all"), "0", self.canvas.fit)
        self._add_key(self.tr("Toolpath: larger"), "+", partial(self.canvas.zoom, _ZOOM_STEP))
        self._add_key(self.tr("Toolpath: smaller"), "-", partial(self.canvas.zoom, 1 / _ZOOM_STEP))
        self.show_path(None)

    def _add_key(self, words: str, key: str, triggered: Slot) -> None:
        context = Qt.ShortcutContext.WidgetWithChildrenShortcut
        add_key(self, words, key, triggered, context=context)

    @property
    def caption(self) -> str:
        return self._caption.text()

    def show_path(self, path: Toolpath | None) -> None:
        lathe = path is not None and path.lathe
        for view, button in self._buttons.items():
            button.setVisible((view is View.LATHE) == lathe)
        self.canvas.show_path(path, View.LATHE if lathe else View.ISOMETRIC)
        self._buttons[self.canvas.view].setChecked(True)
        self._show_caption(None)

    def show_tool(self, telemetry: Telemetry | None) -> None:
        """Show the progress of this part and the tool's position; None if nothing runs."""
        self.canvas.show_tool(telemetry)
        self._show_caption(telemetry)

    def look_from(self, view: View) -> None:
        """Show the path from another side; a lathe's path has only one."""
        if self._buttons[view].isHidden():
            return
        self._buttons[view].setChecked(True)
        self.canvas.look_from(view)

    def _show_caption(self, telemetry: Telemetry | None) -> None:
        path, box = self.canvas.path, self.canvas.box
        if path is None or box is None:
            self._caption.setText("" if path is None else self.tr("The program has no moves"))
            self.setAccessibleName(self.tr("No toolpath"))
            return
        x, y, z = box.size
        words = (
            self.tr("Ø {x:,.1f} × {z:,.1f} mm").format(x=2 * box.high[0], z=z)
            if path.lathe
            else self.tr("{x:,.1f} × {y:,.1f} × {z:,.1f} mm").format(x=x, y=y, z=z)
        )
        if telemetry is not None:
            words += f" · {percent(telemetry.part_fraction)}"
            if telemetry.line is not None:
                words += self.tr(" · line {line:,}").format(line=telemetry.line)
            axes = ("X", telemetry.x), ("Y", telemetry.y), ("Z", telemetry.z)
            at = "  ".join(f"{name} {value:.2f}" for name, value in axes if value is not None)
            words += f" · {at}" if at else ""
        self._caption.setText(words)
        self.setAccessibleName(self.tr("Toolpath, {words}").format(words=words))
