"""How large a dialog is: as it reads best, and never larger than the window it stands before."""

from PySide6.QtWidgets import QDialog

from cnc_station.ui.theme import theme

_FRAME = 24  # a title bar, or the window's own edge


def fit(dialog: QDialog, dense: tuple[int, int], touch: tuple[int, int]) -> None:
    """Resizes `dialog` to one of these sizes, as far as its window has room: what can be pressed
    stands at the bottom, and must not lie below the screen."""
    width, height = touch if theme().metrics.touch else dense
    parent = dialog.parentWidget()
    if parent is not None:
        room = parent.window().size()
        width, height = min(width, room.width()), min(height, room.height() - _FRAME)
    dialog.resize(width, height)
