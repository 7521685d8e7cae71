"""What a job says to the person at the machine."""

from collections.abc import Mapping

_NAMES = ("notes", "note", "description", "remarks", "remark", "comments", "comment")


def notes(own: str, description: str, payload: Mapping[str, object]) -> str:
    """The job's own notes, those that came with its payload, then its description."""
    found = {name.strip().lower(): value for name, value in payload.items()}
    texts = [own, *(_text(found[name]) for name in _NAMES if name in found), description]
    return "\n".join(dict.fromkeys(text for text in texts if text))


def _text(value: object) -> str:
    if isinstance(value, list | tuple):
        return "\n".join(filter(None, map(_text, value)))
    return "" if value is None else str(value).strip()
