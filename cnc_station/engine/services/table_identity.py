"""What identifies the jobs of a table in the system that they come from, from one import to the
next."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cnc_station.engine.domain.import_fields import IMPORT_LABELS
from cnc_station.engine.domain.tables.refused_cell import shown
from cnc_station.engine.domain.tables.shapes import Shape
from cnc_station.engine.services.table_routing import Draft, Issues
from cnc_station.engine.views import ImportIssue


def with_external_ids(
    drafts: Sequence[Draft],
    mapping: Mapping[str, str],
    shape: Shape | None,
    issues: Issues,
    notes: Issues,
) -> list[Draft]:
    """Return the drafts with an external id of their own. Operations that share the id of their
    order get it with their own name. Jobs of a known system without an id get the name of their
    work order and operation. An id that stays that of two jobs is an issue."""
    column = mapping.get("external_id")
    if column is not None:
        ids = Counter((d.spec.tenant, d.spec.external_id) for d in drafts if d.spec.external_id)
        if not ids or ids.most_common(1)[0][1] == 1:
            return list(drafts)
        joined = [_joined(draft, draft.spec.external_id) for draft in drafts]
        if "operation" in mapping and not _twice(joined):
            notes.append(ImportIssue(0, column, "several rows share an id: the operation is added"))
            return joined
        for draft in _twice(drafts):
            message = f"{shown(draft.spec.external_id)} stands in several rows"
            issues.append(ImportIssue(draft.number, column, message))
        return list(drafts)
    if shape is None or "work_order" not in mapping:
        return list(drafts)
    joined = [_joined(draft, draft.spec.work_order) for draft in drafts]
    if _twice(joined) or not all(draft.spec.external_id for draft in joined):
        return list(drafts)
    labels = " and ".join(IMPORT_LABELS[f] for f in ("work_order", "operation") if f in mapping)
    notes.append(ImportIssue(0, "", f"{IMPORT_LABELS['external_id']} of a job: {labels}"))
    return joined


def _joined(draft: Draft, name: str) -> Draft:
    parts = [part for part in (name, draft.spec.operation) if part]
    found = "/".join(parts) if name else ""
    return replace(draft, spec=replace(draft.spec, external_id=found))


def _twice(drafts: Sequence[Draft]) -> list[Draft]:
    """Return the drafts with an id that one above them has."""
    seen: set[tuple[str, str]] = set()
    found = []
    for draft in drafts:
        own = (draft.spec.tenant, draft.spec.external_id)
        if own[1] and own in seen:
            found.append(draft)
        seen.add(own)
    return found
