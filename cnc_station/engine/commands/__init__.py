"""Everything that changes something, as frozen values: `await door.execute(DuplicateJob(7))`."""

from cnc_station.engine.commands.base import Command
from cnc_station.engine.commands.jobs import (
    ActOnJobs,
    DuplicateJob,
    EditJob,
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
from cnc_station.engine.commands.programs import AddProgram, ImportJobs
from cnc_station.engine.commands.station import SaveSettings, TryDatabase

__all__ = [
    "ActOnJobs",
    "ActOnMachine",
    "AddMachine",
    "AddProgram",
    "Command",
    "DuplicateJob",
    "EditJob",
    "EditMachine",
    "ImportJobs",
    "MoveMachine",
    "SaveSettings",
    "SubmitJobs",
    "TryDatabase",
    "TryMachine",
    "UndoJobActions",
]
