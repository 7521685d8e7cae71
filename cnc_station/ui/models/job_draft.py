"""A job as it is typed: texts in, checked values out, every error named by its field."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.domain import json_text
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.engine.domain.job import MACHINE_PROGRAM, JobSpec
from cnc_station.engine.views import JobDetail
from cnc_station.ui.formatting import duration

_CLOCK = re.compile(r"(?:(\d+):)?(\d+):([0-5]?\d)")
_ONLY_NEW = frozenset({"after"})
_NOT_AN_OBJECT = 'must be a JSON object: {"key": "value"}'


@dataclass(frozen=True, slots=True)
class JobDraft:
    """The form's fields, named as in `JobSpec`. Durations and optional numbers are texts."""

    name: str = ""
    machine_type: str = ""
    material: str = ""
    complexity: int = 1
    axes: int = 3
    priority: int = 50
    quantity: int = 1
    estimated_s: str = "05:00"
    due_at: int | None = None
    program: str | None = None
    work_order: str = ""
    operation: str = ""
    after: str = ""
    tenant: str = ""
    retry_limit: str = ""
    timeout_s: str = ""
    payload: str = ""
    description: str = ""
    notes: str = ""
    customer: str = ""
    external_id: str = ""
    handler: str = MACHINE_PROGRAM

    def values(self) -> dict[str, Any]:
        """The fields of a `JobSpec`; raises InvalidInput that names every wrong one."""
        errors: list[FieldError] = []

        def read(name: str, as_what: Callable[[str], object], otherwise: object) -> object:
            try:
                return as_what(getattr(self, name).strip())
            except ValueError as error:
                errors.append(FieldError(name, str(error)))
                return otherwise

        found: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        found |= {
            "estimated_s": read("estimated_s", seconds, 0.0),
            "timeout_s": read("timeout_s", lambda text: seconds(text) if text else None, None),
            "retry_limit": read("retry_limit", lambda text: whole(text) if text else None, None),
            "after": read("after", numbers, ()),
            "payload": read("payload", json_object, {}),
        }
        try:
            JobSpec(**found).validated()
        except InvalidInput as error:
            known = {bad.field for bad in errors}
            errors += [bad for bad in error.errors if bad.field not in known]
        if errors:
            raise InvalidInput(*errors)
        return found

    def spec(self, *, draft: bool = False) -> JobSpec:
        return JobSpec(**self.values(), draft=draft, source=_t("typed at the station")).validated()

    def changes(self, before: "JobDraft") -> dict[str, Any]:
        """What differs from `before`, as `Commands.edit_job` expects it; raises InvalidInput."""
        mine = self.values()
        return {
            name: mine[name]
            for name in mine
            if name not in _ONLY_NEW and getattr(self, name) != getattr(before, name)
        }


def draft_of(detail: JobDetail) -> JobDraft:
    """The form's values for an existing job."""
    row = detail.row
    return JobDraft(
        name=row.name,
        machine_type=row.machine_type,
        material=row.material,
        complexity=row.complexity,
        axes=detail.axes,
        priority=row.priority,
        quantity=row.quantity,
        estimated_s=duration(row.estimated_s),
        due_at=row.due_at,
        program=row.program,
        work_order=row.work_order,
        operation=row.operation,
        after=", ".join(str(link.id) for link in detail.after),
        tenant=row.tenant,
        retry_limit=str(detail.retry_limit),
        timeout_s="" if detail.timeout_s is None else duration(detail.timeout_s),
        payload=pretty(detail.payload),
        description=row.description,
        notes=row.notes,
        customer=row.customer,
        external_id=row.external_id,
    )


def pretty(payload: Mapping[str, object]) -> str:
    """A payload as indented JSON; empty if there is none."""
    return json.dumps(dict(payload), indent=2, ensure_ascii=False) if payload else ""


def seconds(text: str) -> float:
    """Read `mm:ss`, `h:mm:ss` or plain minutes as seconds; raises ValueError with the reason."""
    if text.isdecimal():
        return int(text) * 60.0
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(_t("mm:ss or h:mm:ss; a number alone is minutes"))
    hours, minutes, rest = (int(part or 0) for part in match.groups())
    return hours * 3600.0 + minutes * 60 + rest


def whole(text: str) -> int:
    """Read a whole number; raises ValueError with the reason."""
    if not text.isdecimal():
        raise ValueError(_t("must be a whole number"))
    return int(text)


def numbers(text: str) -> tuple[int, ...]:
    """Read job numbers between commas or spaces; raises ValueError with the reason."""
    parts = text.replace(",", " ").replace("#", " ").split()
    if not all(part.isdecimal() for part in parts):
        raise ValueError(_t("job numbers separated by commas"))
    return tuple(dict.fromkeys(int(part) for part in parts))


def json_object(text: str) -> dict[str, Any]:
    """Read a JSON object, empty for no text; raises ValueError with the position."""
    if not text:
        return {}
    found = json_text.parse(text)
    if not isinstance(found, dict):
        raise ValueError(_t(_NOT_AN_OBJECT))  # noqa: TRY004 - a wrong value, not a wrong type
    return found


def _t(english: str) -> str:
    return QCoreApplication.translate("JobDraft", english)
