"""What the engine shows: frozen records, ready for a screen or for JSON.

Times are ms since the epoch (UTC), durations seconds. None means unknown or not applicable.
"""

from cnc_station.engine.views.controllers import (
    KEPT,
    Abilities,
    AtClosing,
    ConnectionReport,
    Doing,
    DriverInfo,
    FoundController,
    Identity,
    Message,
    RunInHand,
    Setting,
    Status,
)
from cnc_station.engine.views.floor import (
    Charts,
    Floor,
    MachineCard,
    MachineRow,
    NeedsYou,
    PositionRecord,
    Remedy,
    Series,
    StateInterval,
    Telemetry,
)
from cnc_station.engine.views.jobs import (
    MOST_OUTPUT,
    ExportPart,
    JobCounts,
    JobDetail,
    JobFilter,
    JobLink,
    JobPage,
    JobRow,
    JobsPart,
    RunDetail,
    RunFilter,
    RunOutput,
    RunRow,
    Sort,
    SortKey,
    job_title,
)
from cnc_station.engine.views.programs import (
    AddedProgram,
    ImportChange,
    ImportIssue,
    ImportPreview,
    ProgramDetail,
    ProgramFinding,
    ProgramRow,
    ReadAs,
    Toolpath,
)
from cnc_station.engine.views.schedules import DueRow, SchedulePreview, ScheduleRow, ScheduleRun
from cnc_station.engine.views.station import (
    SILENT_AFTER_S,
    About,
    Answer,
    BulkCursor,
    BulkStep,
    FleetReport,
    Link,
    Presence,
    StationRow,
    Undo,
    presence_of,
)

__all__ = ["KEPT", "Abilities", "AtClosing", "ConnectionReport", "Doing", "DriverInfo"]
__all__ += ["FoundController", "Identity", "Message", "RunInHand", "Setting", "Status"]
__all__ += ["Charts", "Floor", "MachineCard", "MachineRow", "NeedsYou"]
__all__ += ["PositionRecord", "Remedy", "Series", "StateInterval", "Telemetry"]
__all__ += ["ExportPart", "JobCounts", "JobDetail", "JobFilter", "JobLink", "JobPage"]
__all__ += ["JobsPart"]
__all__ += ["MOST_OUTPUT", "RunDetail", "RunFilter", "RunOutput"]
__all__ += ["JobRow", "RunRow", "Sort", "SortKey", "job_title"]
__all__ += ["ImportChange", "ImportIssue", "ImportPreview", "ProgramDetail"]
__all__ += ["AddedProgram", "ProgramFinding", "ProgramRow", "ReadAs", "Toolpath"]
__all__ += ["DueRow", "SchedulePreview", "ScheduleRow", "ScheduleRun"]
__all__ += ["SILENT_AFTER_S", "About", "Answer", "Link"]
__all__ += [
    "BulkCursor",
    "BulkStep",
    "FleetReport",
    "Presence",
    "StationRow",
    "Undo",
    "presence_of",
]
