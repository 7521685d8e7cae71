"""The window hands text to Qt only where it is made literal: `ui/widgets/literal.py` for tips,
captions and titles, `ui/widgets/text.py` for labels."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

UI = Path(__file__).parents[2] / "cnc_station" / "ui"
LITERAL, TEXT, BUTTONS = "widgets/literal.py", "widgets/text.py", "widgets/buttons.py"
INTERPRETS = {
    "QErrorMessage",
    "QFormLayout",
    "QGroupBox",
    "QInputDialog",
    "QMessageBox",
    "QProgressDialog",
    "QStaticText",
    "QTextBrowser",
    "QTextDocument",
    "QTextEdit",
    "QWhatsThis",
    "QWizard",
    "appendHtml",
    "insertHtml",
    "setHtml",
    "setLabel",
    "setMarkdown",
    "setOpenExternalLinks",
    "setStatusTip",
    "setTitle",
    "setWhatsThis",
}
"""Classes and methods that take a text for rich text, and nothing here needs."""
AT_HOME = {
    "setToolTip": LITERAL,
    "QToolTip": LITERAL,
    "mightBeRichText": LITERAL,
    "showMessage": "background.py",
    "QLabel": TEXT,
    "setTextFormat": TEXT,
    "TextFormat": TEXT,
}
CAPTIONED = {
    "QAction": 0,
    "QMenu": 0,
    "addAction": 0,
    "addMenu": 0,
    "addTab": 0,
    "setTabText": 1,
    "QPushButton": 0,
    "QToolButton": 0,
    "QCheckBox": 0,
    "QRadioButton": 0,
}
"""Where Qt takes `&` for a key, and which argument is the text."""
OBJECTS = {"action", "button", "menu", "self", "_space", "_window"}
"""Names of actions, menus and parents that stand where a text could."""
BASES = {"QAbstractButton", "QPushButton", "QToolButton", "QCheckBox", "QRadioButton"}


def _name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case _:
            return ""


def _is_literal(argument: ast.expr) -> bool:
    if isinstance(argument, ast.Call):
        translated = _name(argument.func) in {"tr", "_tr"}
        return translated or _name(argument.func) == "caption"
    return isinstance(argument, ast.Constant) or _name(argument) in OBJECTS


def _named(node: ast.AST) -> list[str]:
    match node:
        case ast.Name():
            return [node.id]
        case ast.Attribute():
            return [node.attr]
        case ast.ImportFrom():
            return [alias.name for alias in node.names]
        case _:
            return []


def _of_call(call: ast.Call) -> Iterator[str]:
    name = _name(call.func)
    place = CAPTIONED.get(name)
    if place is not None and len(call.args) > place and not _is_literal(call.args[place]):
        yield f"{name} without caption()"
    if name == "setWindowTitle" and not (
        isinstance(call.args[0], ast.Call) and _name(call.args[0].func) == "window_title"
    ):
        yield "setWindowTitle without window_title()"


def _tips_raw(function: ast.FunctionDef) -> bool:
    """Whether this answers for tool tips without making them literal."""
    nodes = list(ast.walk(function))
    asked = any(isinstance(n, ast.Attribute) and n.attr == "ToolTipRole" for n in nodes)
    return asked and not any(isinstance(n, ast.Call) and _name(n.func) == "tip" for n in nodes)


def faults(source: str, where: str = "") -> list[str]:
    """What a module does past the rule, with its lines."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", 0)
        found += [
            (line, name)
            for name in _named(node)
            if name in INTERPRETS or AT_HOME.get(name, where) != where
        ]
        if isinstance(node, ast.Call):
            found += [(line, fault) for fault in _of_call(node)]
        if isinstance(node, ast.ClassDef) and where != BUTTONS:
            found += [(line, f"class of {_name(b)}") for b in node.bases if _name(b) in BASES]
        if isinstance(node, ast.FunctionDef) and _tips_raw(node):
            found.append((line, "ToolTipRole without tip()"))
    return [f"{where}:{line} {fault}" for line, fault in found]


def test_the_window_hands_no_text_to_qt_past_the_functions_that_make_it_literal() -> None:
    found = [
        fault
        for path in sorted(UI.rglob("*.py"))
        for fault in faults(path.read_text("utf-8"), path.relative_to(UI).as_posix())
    ]
    assert found == []


@pytest.mark.parametrize("name", AT_HOME)
def test_what_has_a_home_is_used_there(name: str) -> None:
    assert name in (UI / AT_HOME[name]).read_text("utf-8")


@pytest.mark.parametrize(
    "source",
    [
        "self.setToolTip(words)",
        "QToolTip.showText(at, words, self)",
        "from PySide6.QtWidgets import QLabel",
        "label = QtWidgets.QLabel(words)",
        "label.setTextFormat(form)",
        "from PySide6.QtWidgets import QMessageBox",
        "item.setHtml(words)",
        "plot.setTitle(words)",
        "self.setStatusTip(words)",
        "menu.addAction(machine.name, pin)",
        "menu.addAction(words)",
        "QAction(f'{name}', menu)",
        "menu.addMenu(column.title)",
        "self.setTabText(0, words)",
        "QPushButton(words)",
        "self.setWindowTitle(title)",
        "class Chip(QAbstractButton): pass",
        "def data(role):\n    if role == Qt.ItemDataRole.ToolTipRole:\n        return words",
    ],
)
def test_a_text_that_is_handed_over_raw_is_found(source: str) -> None:
    assert faults(source)


@pytest.mark.parametrize(
    "source",
    [
        "set_tip(self, words)",
        "menu.addAction(caption(words), run)",
        "menu.addAction(self.tr('Select all'), view.selectAll)",
        "menu.addAction(action)",
        "QMenu(self._window)",
        "self.setWindowTitle(window_title(title))",
        "self.setTabText(0, caption(words))",
        "class Chip(PaintedButton): pass",
        "def data(role):\n    return tip(words) if role == Role.ToolTipRole else None",
    ],
)
def test_a_text_that_was_made_literal_is_allowed(source: str) -> None:
    assert faults(source) == []
