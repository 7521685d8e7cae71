"""The audit: what people and programs did, by kind of what they did it to."""

from enum import StrEnum

from cnc_station.engine.domain import transitions as t
from cnc_station.engine.domain.notice import ABOUT_SCHEDULES


class AuditKind(StrEnum):
    """What an act was about."""

    JOBS = "jobs"
    MACHINES = "machines"
    SCHEDULES = "schedules"
    PEOPLE = "people"
    SETTINGS = "settings"  # of the shop: also endpoints, alert rules, programs and back-ups


ABOUT_PEOPLE = frozenset(
    row.name for row in (t.ACCOUNTS_CHANGED, t.SIGNED_ON, t.SIGNED_OFF, t.SIGN_ON_REFUSED)
)
OF_KIND = {AuditKind.PEOPLE: ABOUT_PEOPLE, AuditKind.SCHEDULES: ABOUT_SCHEDULES}
"""By kind: the names of the events of which neither job nor machine tells the kind."""
