"""What each role may do: the right that every command and query needs."""

from collections.abc import Mapping
from enum import StrEnum

from cnc_station.engine.domain.actions import JobAction, MachineAction
from cnc_station.engine.domain.errors import NotPermitted
from cnc_station.engine.domain.principal import Principal, Role


class Permission(StrEnum):
    """A right; the words complete the sentence "… may not …"."""

    VIEW = "look at the shop"
    CHANGE_JOBS = "change jobs"
    DELETE_JOBS = "delete jobs or set their state by hand"
    OPERATE_MACHINES = "operate machines"
    SET_UP_MACHINES = "add, change or remove machines"
    CHANGE_SETTINGS = "change settings"
    MANAGE_SCHEDULES = "work with schedules"
    SEE_DELIVERIES = "look at webhook deliveries or replay them"
    MANAGE_WEBHOOKS = "manage webhooks"
    ACKNOWLEDGE_ALERTS = "acknowledge alerts"
    MANAGE_ALERTS = "work with alert rules"
    MANAGE_BACKUPS = "make back-ups or choose where they are kept"
    JOIN_FLEETS = "move a station to a fleet"
    MANAGE_ACCOUNTS = "manage accounts"
    STOP_MACHINES = "hold or abort what runs"
    SIGN_ON = "sign on"
    SEE_PEOPLE = "see who may sign on here"
    SEE_AUDIT = "look at the audit"
    RESET_PASSWORDS = "reset a lost password"


# Rights that no role of an account grants: of everybody, of whoever stands at the machines of this
# station, and of the owner of its files.
_OF_EVERYBODY = frozenset({Permission.SIGN_ON})
_OF_THE_PRESENT = frozenset({Permission.STOP_MACHINES, Permission.SEE_PEOPLE})
_OF_THE_OWNER = frozenset({Permission.RESET_PASSWORDS})

_VIEWER = frozenset({Permission.VIEW})
_OPERATOR = _VIEWER | {
    Permission.CHANGE_JOBS,
    Permission.OPERATE_MACHINES,
    Permission.STOP_MACHINES,
    Permission.ACKNOWLEDGE_ALERTS,
    Permission.CHANGE_SETTINGS,  # the window stores how its user arranges it
}
_SUPERVISOR = _OPERATOR | {
    Permission.DELETE_JOBS,
    Permission.SET_UP_MACHINES,
    Permission.MANAGE_SCHEDULES,
    Permission.SEE_DELIVERIES,
    Permission.MANAGE_ALERTS,
    Permission.SEE_AUDIT,
}

GRANTS: Mapping[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OPERATOR: _OPERATOR,
    Role.SUPERVISOR: _SUPERVISOR,
    Role.ADMINISTRATOR: frozenset(Permission),
}

# The commands and queries that need each right, by name.
_NEEDED_FOR: Mapping[Permission, tuple[str, ...]] = {
    Permission.VIEW: (
        "AboutStation",
        "AlertHistory",
        "AttachmentContent",
        "BackupsNow",
        "ControllerStatus",
        "CountJobs",
        "CountRuns",
        "EventsSince",
        "ExecutionsBy",
        "ExportJobs",
        "ExportJobsAfter",
        "ListJobsAfter",
        "FloorCharts",
        "FloorNow",
        "JobById",
        "JobsById",
        "LatestTelemetry",
        "ListActiveRuns",
        "ListAlerts",
        "ListAttachments",
        "ListDrivers",
        "ListEvents",
        "ListJobs",
        "ListLinks",
        "ListMachines",
        "ListOpenAlerts",
        "ListPrograms",
        "ListRuns",
        "ListStations",
        "MachineLog",
        "MetricsNow",
        "NewAlertMessages",
        "PreviewImport",
        "ProgramByHash",
        "ProgramContent",
        "ReadingProgress",
        "RunById",
        "ScrapeMetrics",
        "SetUpSheetOf",
        "StoredSettings",
        "ToolpathByHash",
        "TryDatabase",
        "VerifyWebhook",
    ),
    Permission.CHANGE_JOBS: (
        "ActOnJobs",
        "ActOnMatchingJobs",
        "AddProgram",
        "AttachFile",
        "DuplicateJob",
        "EditJob",
        "EditSetUpSheet",
        "ImportJobs",
        "RemoveAttachment",
        "SubmitJobs",
        "UndoJobActions",
    ),
    Permission.OPERATE_MACHINES: ("ActOnMachine", "CheckFirstPart"),
    Permission.SET_UP_MACHINES: (
        "AcceptDatabase",
        "AddMachine",
        "EditMachine",
        "FindControllers",
        "MoveMachine",
        "TryMachine",
    ),
    Permission.CHANGE_SETTINGS: ("SaveSettings",),
    Permission.MANAGE_SCHEDULES: (
        "ActOnSchedules",
        "CreateSchedule",
        "DeleteSchedule",
        "EditSchedule",
        "ListSchedules",
        "PauseSchedule",
        "PreviewSchedule",
        "ResumeSchedule",
        "ScheduleById",
        "ScheduleRuns",
        "TriggerSchedule",
        "UpcomingRuns",
    ),
    Permission.SEE_DELIVERIES: (
        "CountDeliveries",
        "DeliveryById",
        "ListDeliveries",
        "ReplayDeliveries",
        "ReplayMatchingDeliveries",
    ),
    Permission.MANAGE_WEBHOOKS: (
        "CreateWebhook",
        "DeleteWebhook",
        "EditWebhook",
        "ListWebhooks",
        "RotateWebhookSecret",
        "TestWebhook",
    ),
    Permission.ACKNOWLEDGE_ALERTS: ("AcknowledgeAlerts",),
    Permission.MANAGE_BACKUPS: ("BackUpNow", "SetBackupPlan"),
    Permission.MANAGE_ALERTS: (
        "CreateAlertRule",
        "DeleteAlertRule",
        "EditAlertRule",
        "ListAlertRules",
        "TestAlertRule",
    ),
    Permission.JOIN_FLEETS: ("JoinFleet", "TryFleet"),
    Permission.MANAGE_ACCOUNTS: (
        "AccountById",
        "CreateAccount",
        "EditAccount",
        "CreateTenant",
        "EditTenant",
        "IssueToken",
        "ListTenants",
        "ListAccounts",
        "ListTokens",
        "RemoveAccount",
        "RevokeToken",
        "RotateTokenKey",
        "SetSecret",
        "TurnOffAccounts",
        "TurnOnAccounts",
    ),
    Permission.SIGN_ON: (
        "BearerOf",
        "ChangeOwnSecret",
        "LimitsNow",
        "LogIn",
        "LogOut",
        "SignOff",
        "SignOn",
        "UsesAccounts",
        "WhoIsHere",
    ),
    Permission.SEE_PEOPLE: ("WhoMaySignOn",),
    Permission.SEE_AUDIT: ("AuditTrail",),
    Permission.RESET_PASSWORDS: ("ResetPassword",),
}
NEEDED = {name: needed for needed, names in _NEEDED_FOR.items() for name in names}

# Actions that need another right than the command they come in.
_NEEDED_BY_ACTION: Mapping[str, Permission] = {
    JobAction.HOLD: Permission.STOP_MACHINES,
    JobAction.ABORT: Permission.STOP_MACHINES,
    JobAction.DELETE: Permission.DELETE_JOBS,
    JobAction.OVERRIDE: Permission.DELETE_JOBS,
    MachineAction.REMOVE: Permission.SET_UP_MACHINES,
}


def rights(principal: Principal) -> frozenset[Permission]:
    """Return everything that a principal may do."""
    granted = set(_OF_EVERYBODY)
    for role in principal.roles:
        granted |= GRANTS[role]
    if principal.present:
        granted |= _OF_THE_PRESENT
    if principal.owner:
        granted |= _OF_THE_OWNER
    return frozenset(granted)


def needed_for(asked: object) -> Permission:
    """Return the right that a command, a query or its type needs. What holds another command or its
    type (`engine.once`) needs the right to that."""
    asked = getattr(asked, "command", asked)
    needed = NEEDED[(asked if isinstance(asked, type) else type(asked)).__name__]
    action = getattr(asked, "action", None)
    if isinstance(action, JobAction | MachineAction):
        needed = _NEEDED_BY_ACTION.get(action, needed)
    return needed


def check(principal: Principal, asked: object) -> None:
    """Raise NotPermitted unless the principal has the right to what is asked."""
    needed = needed_for(asked)
    if needed not in rights(principal):
        raise NotPermitted(f"{principal.name} may not {needed}{_who_may(needed)}.")


def _who_may(needed: Permission) -> str:
    """Return who may do it, as the end of a sentence."""
    lowest = next((role for role in Role if needed in GRANTS[role]), None)
    if lowest is None:
        return ""
    return f": {_ARTICLE[lowest]} {lowest} may"


_ARTICLE: Mapping[Role, str] = {
    Role.VIEWER: "a",
    Role.OPERATOR: "an",
    Role.SUPERVISOR: "a",
    Role.ADMINISTRATOR: "an",
}
