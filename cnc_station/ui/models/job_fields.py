"""Every field of a job, in words."""

from collections.abc import Mapping

from PySide6.QtCore import QCoreApplication

from cnc_station.engine.views import JobDetail, JobLink
from cnc_station.ui import formatting
from cnc_station.ui.models.job_columns import look
from cnc_station.ui.widgets.state_look import look_of


def fields(detail: JobDetail, machines: Mapping[int, str], now: int) -> list[tuple[str, str]]:
    """Names and values, the most asked for first."""
    row = detail.row
    pinned = (
        _t("any") if row.pinned_machine_id is None else machines.get(row.pinned_machine_id, "?")
    )
    program = f"{row.program_name} r{row.program_revision}" if row.program else ""
    limit = "" if detail.timeout_s is None else formatting.duration(detail.timeout_s)
    found = [
        (_t("Number"), str(row.id)),
        (_t("Work order"), row.work_order),
        (_t("Operation"), row.operation),
        (_t("State"), f"{look(row).word}, {formatting.lasted(row.state_since, now)}"),
        (_t("What next"), row.next),
        (_t("Machine"), row.machine),
        (_t("Only on"), pinned),
        (_t("Type"), row.machine_type),
        (_t("Material"), row.material),
        (_t("Complexity"), str(row.complexity)),
        (_t("Axes"), str(detail.axes)),
        (_t("Priority"), str(row.priority)),
        (_t("Quantity"), f"{row.quantity:,}"),
        (_t("Time a part"), formatting.duration(row.estimated_s)),
        (_t("Due"), formatting.moment(row.due_at, now)),
        (_t("Not before"), formatting.moment(row.not_before, now)),
        (_t("Program"), program),
        (_t("SHA-256"), f"{row.program[:16]} …" if row.program else ""),
        (_t("Runs after"), _links(detail.after)),
        (_t("Then"), _links(detail.before)),
        (_t("Attempts"), str(row.attempt)),
        (_t("Failures"), str(row.failures)),
        (_t("Last error"), row.last_error),
        (_t("Retry limit"), str(detail.retry_limit)),
        (_t("Time limit"), limit),
        (_t("Tenant"), row.tenant),
        (_t("Made by"), detail.handler),
        (_t("Created"), formatting.moment(row.created_at, now)),
        (_t("Finished"), formatting.moment(row.finished_at, now)),
        (_t("Trace"), detail.trace_id),
        (_t("Version"), str(row.version)),
    ]
    return [(name, value or formatting.NONE) for name, value in found]


def _links(links: tuple[JobLink, ...]) -> str:
    return ", ".join(f"{link.title} ({link.id}, {look_of(link.state).word})" for link in links)


def _t(english: str) -> str:
    return QCoreApplication.translate("JobFields", english)
