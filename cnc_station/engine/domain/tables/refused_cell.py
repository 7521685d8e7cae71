"""Refuse the text of a cell, in words for the person who wrote it."""

from cnc_station.engine.domain import text_gate

_SHOWN = 40


class RefusedCell(ValueError):
    """The reason is complete. Callers that convert a part of a cell pass this on unchanged."""


def shown(text: str) -> str:
    """A cell's text in quotation marks, shortened and made visible."""
    return f"'{text_gate.visible(text[:_SHOWN])}{'…' if len(text) > _SHOWN else ''}'"
