from collections.abc import Iterator
from math import cos, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton

from cnc_station.engine.views import Telemetry, Toolpath
from cnc_station.ui.theme import Density, Ink, ThemeName, apply_theme
from cnc_station.ui.widgets.toolpath import ToolpathView
from cnc_station.ui.widgets.toolpath_camera import Box, View, fitted
from tests.until import until

SIZES = st.floats(-500, 500)


def square(*, lathe: bool = False) -> Toolpath:
    """Four sides of 100 mm, a second a side, after a rapid to the first corner."""
    return Toolpath(
        "s",
        x=(0, 0, 100, 100, 0, 0),
        y=(0, 0, 0, 100, 100, 0),
        z=(50, 0, 0, 0, 0, 0),
        line=(0, 1, 2, 3, 4, 5),
        kind=(0, 0, 1, 1, 1, 1),
        seconds=(0, 1, 2, 3, 4, 5),
        duration_s=5,
        lathe=lathe,
    )


@pytest.fixture
def view(qapp: QApplication) -> Iterator[ToolpathView]:
    apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
    shown = ToolpathView()
    shown.resize(500, 500)
    shown.show()
    yield shown
    shown.close()
    shown.deleteLater()


def ink_at(view: ToolpathView, x: float, y: float) -> Ink:
    """What a point is drawn in, told by hue: smoothing mixes a line with its ground."""
    left, top = view.canvas.camera.at((x, y, 0))
    colour = view.canvas.grab().toImage().pixelColor(round(left), round(top))
    if colour.blue() - colour.red() > 100:
        return Ink.OPERATOR
    return Ink.RUNNING if colour.green() - colour.red() > 15 else Ink.FAINT


async def test_what_is_done_stands_out_from_what_is_to_come(view: ToolpathView) -> None:
    view.show_path(square())
    view.look_from(View.TOP)
    view.show_tool(Telemetry(part_fraction=0.6))  # two of the four sides are made
    await until(lambda: not view.canvas.drawing)
    assert ink_at(view, 50, 0) is Ink.RUNNING
    assert ink_at(view, 100, 50) is Ink.RUNNING
    assert ink_at(view, 50, 100) is Ink.FAINT
    view.show_tool(Telemetry(part=2, part_fraction=0.41))  # the next part begins anew
    await until(lambda: not view.canvas.drawing)
    assert ink_at(view, 50, 0) is Ink.RUNNING
    assert ink_at(view, 100, 50) is Ink.FAINT


async def test_the_tool_is_where_the_controller_says_else_where_the_time_puts_it(
    view: ToolpathView,
) -> None:
    view.show_path(square())
    view.look_from(View.TOP)
    await until(lambda: not view.canvas.drawing)
    view.show_tool(Telemetry(part_fraction=0.3))
    assert ink_at(view, 50, 0) is Ink.OPERATOR
    view.show_tool(Telemetry(part_fraction=0.3, x=30, y=30, z=0, line=2))
    assert ink_at(view, 30, 30) is Ink.OPERATOR
    assert "line 2" in view.caption
    view.show_tool(None)
    assert ink_at(view, 30, 30) is not Ink.OPERATOR


async def test_a_lathes_path_has_its_own_view_only(view: ToolpathView) -> None:
    view.show_path(square(lathe=True))
    assert view.canvas.view is View.LATHE
    shown = [button.text() for button in view.findChildren(QPushButton) if button.isVisible()]
    assert shown == ["X / Z", "Fit"]
    view.look_from(View.TOP)
    shown = [button.text() for button in view.findChildren(QPushButton) if button.isVisible()]
    assert shown == ["X / Z", "Fit"]


async def test_a_mills_path_is_first_seen_from_an_angle(view: ToolpathView) -> None:
    view.show_path(square())
    assert view.canvas.view is View.ISOMETRIC


async def test_a_path_of_a_hundred_thousand_points_is_drawn_in_slices(view: ToolpathView) -> None:
    count = 100_000
    turn = [i / 37 for i in range(count)]
    long = Toolpath(
        "l",
        x=tuple(60 * cos(t) for t in turn),
        y=tuple(60 * sin(t) for t in turn),
        z=tuple(-i / count for i in range(count)),
        line=tuple(range(count)),
        kind=(0,) + (1,) * (count - 1),
        seconds=tuple(float(i) for i in range(count)),
        duration_s=count,
    )
    view.show_path(long)
    view.show_tool(Telemetry(part_fraction=0.5))
    assert view.canvas.drawing
    assert view.canvas.whole.drawn < count / 4
    await until(lambda: not view.canvas.drawing, 30)
    assert view.canvas.whole.drawn == count
    done = view.canvas.done.drawn
    view.show_tool(Telemetry(part_fraction=0.5001))
    assert view.canvas.done.drawn == done + 10


async def test_the_wheel_zooms_around_the_pointer_and_a_double_click_shows_all_again(
    view: ToolpathView,
) -> None:
    view.show_path(square())
    view.look_from(View.TOP)
    whole = view.canvas.camera
    corner = whole.at((100, 100, 0))
    view.canvas.zoom(3, QPoint(*map(round, corner)).toPointF())
    assert view.canvas.camera.scale == pytest.approx(3 * whole.scale)
    assert view.canvas.camera.at((100, 100, 0)) == pytest.approx(corner, abs=2)
    QTest.mouseDClick(view.canvas, Qt.MouseButton.LeftButton)
    assert view.canvas.camera == whole


async def test_without_a_path_it_says_so(view: ToolpathView) -> None:
    view.show_path(None)
    view.show_tool(Telemetry(part_fraction=0.5))
    assert view.accessibleName() == "No toolpath"
    view.show_path(Toolpath("e"))
    assert view.caption == "The program has no moves"


@given(x=SIZES, y=SIZES, z=SIZES, wide=st.floats(0, 900), view=st.sampled_from(View))
def test_fitting_shows_every_corner(x: float, y: float, z: float, wide: float, view: View) -> None:
    box = Box((x, y, z), (x + wide, y + wide / 3, z + wide / 2))
    camera = fitted(view, box, 640, 360)
    for corner in box.corners():
        left, top = camera.at(corner)
        assert 0 <= left <= 640
        assert 0 <= top <= 360
