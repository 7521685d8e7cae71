"""Everything that only looks, as frozen values: `await door.ask(JobById(7))`."""

from cnc_station.engine.queries.base import LiveQuery, Query
from cnc_station.engine.queries.jobs import (
    CountJobs,
    ExportJobs,
    JobById,
    JobsById,
    ListEvents,
    ListJobs,
    ListRuns,
)
from cnc_station.engine.queries.machines import (
    ControllerStatus,
    LatestTelemetry,
    ListActiveRuns,
    ListDrivers,
    ListMachines,
    MachineLog,
)
from cnc_station.engine.queries.programs import (
    ListPrograms,
    PreviewImport,
    ProgramByHash,
    ToolpathByHash,
)
from cnc_station.engine.queries.station import (
    AboutStation,
    FloorCharts,
    FloorNow,
    ListLinks,
    ListStations,
    StoredSettings,
)

__all__ = [
    "AboutStation",
    "ControllerStatus",
    "CountJobs",
    "ExportJobs",
    "FloorCharts",
    "FloorNow",
    "JobById",
    "JobsById",
    "LatestTelemetry",
    "ListActiveRuns",
    "ListDrivers",
    "ListEvents",
    "ListJobs",
    "ListLinks",
    "ListMachines",
    "ListPrograms",
    "ListRuns",
    "ListStations",
    "LiveQuery",
    "MachineLog",
    "PreviewImport",
    "ProgramByHash",
    "Query",
    "StoredSettings",
    "ToolpathByHash",
]
