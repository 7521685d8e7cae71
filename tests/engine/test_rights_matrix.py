"""Each role against each command and query, and each query of a tenant: no line may be missing."""

import typing
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from cnc_station.engine import commands, queries
from cnc_station.engine.commands import Command
from cnc_station.engine.domain import permissions
from cnc_station.engine.domain.errors import CncStationError, NotPermitted
from cnc_station.engine.domain.job import JobSpec
from cnc_station.engine.domain.principal import Principal, Role, bystander, local_principal
from cnc_station.engine.door import Door
from cnc_station.engine.queries import LiveQuery, Query
from tests.engine.conftest import Station
from tests.unit.test_admission import sample

V, O, S, A = Role  # noqa: E741 - the columns of a table
VALUES = {
    value.__name__: value
    for module in (commands, queries)
    for value in vars(module).values()
    if isinstance(value, type)
    and issubclass(value, Command | Query)
    and value not in {Command, Query, LiveQuery}
}

# The lowest role that may; None: everybody, also before signing on.
LOWEST: Mapping[Role | None, str] = {
    None: "BearerOf ChangeOwnSecret LimitsNow LogIn LogOut SignOff SignOn UsesAccounts WhoIsHere",
    V: """
        AboutStation AlertHistory AttachmentContent BackupsNow ControllerStatus CountJobs
        CountRuns EventsSince ExecutionsBy ExportJobs ExportJobsAfter FloorCharts FloorNow JobById
        JobsById LatestTelemetry ListActiveRuns ListAlerts ListAttachments ListDrivers ListEvents
        ListJobs ListJobsAfter ListLinks ListMachines ListOpenAlerts ListPrograms ListRuns
        ListStations MachineLog MetricsNow NewAlertMessages PreviewImport ProgramByHash
        ProgramContent ReadingProgress RunById ScrapeMetrics SetUpSheetOf StoredSettings
        ToolpathByHash TryDatabase VerifyWebhook
    """,
    O: """
        AcknowledgeAlerts ActOnJobs ActOnMachine ActOnMatchingJobs AddProgram AttachFile
        CheckFirstPart DuplicateJob EditJob EditSetUpSheet ImportJobs RemoveAttachment
        SaveSettings SubmitJobs UndoJobActions
    """,
    S: """
        AcceptDatabase ActOnSchedules AddMachine AuditTrail CountDeliveries CreateAlertRule
        CreateSchedule DeleteAlertRule DeleteSchedule DeliveryById EditAlertRule EditMachine
        EditSchedule FindControllers ListAlertRules ListDeliveries ListSchedules MoveMachine
        PauseSchedule PreviewSchedule ReplayDeliveries ReplayMatchingDeliveries
        ResumeSchedule ScheduleById ScheduleRuns TestAlertRule TriggerSchedule TryMachine
        UpcomingRuns
    """,
    A: """
        AccountById BackUpNow CreateAccount CreateTenant CreateWebhook DeleteWebhook EditAccount
        EditTenant EditWebhook IssueToken JoinFleet ListAccounts ListTenants ListTokens
        ListWebhooks RemoveAccount ResetPassword RevokeToken RotateTokenKey RotateWebhookSecret
        SetBackupPlan SetSecret TestWebhook TryFleet TurnOffAccounts TurnOnAccounts WhoMaySignOn
    """,
}
LOWEST_OF = {name: role for role, names in LOWEST.items() for name in names.split()}
# Before anybody signs on: over the network, at a window, and on the computer of a station.
STRANGER = bystander(local_principal("x", "http 192.0.2.7"))
PRESENT = bystander(local_principal("x", "window", present=True))
OWNER = bystander(local_principal("x", "command line", owner=True))


def person(role: Role) -> Principal:
    return Principal("ann", frozenset({role}), tenants=None)


def may(principal: Principal, value: type) -> bool:
    """Whether the table lets a principal ask for this."""
    lowest = LOWEST_OF[value.__name__]
    if lowest is None or (principal.present and value.__name__ == "WhoMaySignOn"):
        return True
    if principal.owner and value.__name__ == "ResetPassword":
        return True
    order = list(Role)
    return any(order.index(role) >= order.index(lowest) for role in principal.roles)


def test_every_command_and_query_has_a_line_in_this_table() -> None:
    assert LOWEST_OF.keys() == VALUES.keys()


@pytest.mark.parametrize(
    "principal",
    [*map(person, Role), STRANGER, PRESENT, OWNER],
    ids=[*Role, "stranger", "present", "owner"],
)
async def test_what_the_table_refuses_is_refused_at_the_door(
    station: Station, principal: Principal
) -> None:
    door = (await station()).engine.door(principal)
    for value in VALUES.values():
        if may(principal, value):
            permissions.check(principal, value)
            continue
        with pytest.raises(NotPermitted, match="may not"):
            await _ask(door, sample(value))


async def _ask(door: Door, asked: Any) -> Any:
    return await (door.execute(asked) if isinstance(asked, Command) else door.ask(asked))


SECRET = "of the other customer"


def asked_about_the_first(kind: Any, name: str = "") -> Any:
    """Return a value of a type that asks for whatever has number 1."""
    if kind is int:
        return 1 if "id" in name else 50 if name == "limit" else 0
    if is_dataclass(kind) and isinstance(kind, type):
        hints = typing.get_type_hints(kind)
        given = {
            field.name: asked_about_the_first(hints[field.name], field.name)
            for field in fields(kind)
            if "id" in field.name or not _has_default(field)
        }
        return kind(**given)
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in {tuple, Sequence, frozenset}:
        inner = asked_about_the_first(args[0], name)
        return (inner,) if origin is not frozenset else frozenset({inner})
    if args:
        return asked_about_the_first(args[0], name)
    return "" if kind is str else sample(kind)


def _has_default(field: Any) -> bool:
    missing = type(field.default).__name__ == "_MISSING_TYPE"
    return not missing or type(field.default_factory).__name__ != "_MISSING_TYPE"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMINISTRATOR])
async def test_no_query_tells_anything_of_another_tenants_job(station: Station, role: Role) -> None:
    floor = await station()
    spec = JobSpec(SECRET, "lathe", tenant="other", estimated_s=1.0, notes=SECRET)
    await floor.door.execute(commands.SubmitJobs([spec]))
    ann = Principal("ann", frozenset({role}), tenants=frozenset({"acme"}))
    door = floor.engine.door(ann)
    seen = 0
    for name, value in sorted(VALUES.items()):
        if not issubclass(value, Query) or not may(ann, value):
            continue
        try:
            told = repr(await door.ask(asked_about_the_first(value)))
        except CncStationError as refused:
            told = str(refused)
        assert SECRET not in told, name
        seen += 1
    assert seen > 20
    everything = await floor.door.ask(queries.JobById(1))
    assert SECRET in repr(everything)  # the test would see it
