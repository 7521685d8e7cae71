"""Everything that changes something, as frozen values: `await door.execute(DuplicateJob(7))`."""

from cnc_station.engine.commands.alerts import (
    AcknowledgeAlerts,
    CreateAlertRule,
    DeleteAlertRule,
    EditAlertRule,
    TestAlertRule,
)
from cnc_station.engine.commands.base import MOST_IN_BATCH, Command
from cnc_station.engine.commands.jobs import (
    ActOnJobs,
    ActOnMatchingJobs,
    DuplicateJob,
    EditJob,
    ImportJobs,
    SubmitJobs,
    UndoJobActions,
)
from cnc_station.engine.commands.machines import (
    ActOnMachine,
    AddMachine,
    EditMachine,
    MoveMachine,
    TryMachine,
)
from cnc_station.engine.commands.programs import AddProgram
from cnc_station.engine.commands.schedules import (
    ActOnSchedules,
    CreateSchedule,
    DeleteSchedule,
    EditSchedule,
    PauseSchedule,
    ResumeSchedule,
    TriggerSchedule,
)
from cnc_station.engine.commands.station import (
    AcceptDatabase,
    BackUpNow,
    JoinFleet,
    SaveSettings,
    SetBackupPlan,
    TryDatabase,
    TryFleet,
)
from cnc_station.engine.commands.webhooks import (
    CreateWebhook,
    DeleteWebhook,
    EditWebhook,
    ReplayDeliveries,
    RotateWebhookSecret,
    TestWebhook,
)

__all__ = [
    "MOST_IN_BATCH",
    "AcceptDatabase",
    "AcknowledgeAlerts",
    "ActOnJobs",
    "ActOnMachine",
    "ActOnMatchingJobs",
    "ActOnSchedules",
    "AddMachine",
    "AddProgram",
    "BackUpNow",
    "Command",
    "CreateAlertRule",
    "CreateSchedule",
    "CreateWebhook",
    "DeleteAlertRule",
    "DeleteSchedule",
    "DeleteWebhook",
    "DuplicateJob",
    "EditAlertRule",
    "EditJob",
    "EditMachine",
    "EditSchedule",
    "EditWebhook",
    "ImportJobs",
    "JoinFleet",
    "MoveMachine",
    "PauseSchedule",
    "ReplayDeliveries",
    "ResumeSchedule",
    "RotateWebhookSecret",
    "SaveSettings",
    "SetBackupPlan",
    "SubmitJobs",
    "TestAlertRule",
    "TestWebhook",
    "TriggerSchedule",
    "TryDatabase",
    "TryFleet",
    "TryMachine",
    "UndoJobActions",
]
