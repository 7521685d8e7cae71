"""What the engine shows: frozen records, ready to put on a screen or into JSON.

Times are ms since the epoch (UTC), durations seconds. A record says nothing that is not known:
None means unknown or not applicable, and the window says so.
"""

from cnc_station.engine.views.controllers import (
    Abilities,
    ConnectionReport,
    Doing,
    DriverInfo,
    Identity,
    Message,
    Setting,
    Status,
)
from cnc_station.engine.views.floor import (
    Charts,
    Floor,
    MachineCard,
    MachineRow,
    NeedsYou,
    Remedy,
    Series,
    Stretch,
    Telemetry,
)
from cnc_station.engine.views.jobs import (
    JobCounts,
    JobDetail,
    JobFilter,
    JobLink,
    JobPage,
    JobRow,
    RunRow,
    Sort,
    SortKey,
)
from cnc_station.engine.views.programs import (
    ImportIssue,
    ImportPreview,
    ProgramDetail,
    ProgramFinding,
    ProgramRow,
    Toolpath,
)
from cnc_station.engine.views.station import (
    SILENT_AFTER_S,
    About,
    Answer,
    Changes,
    Link,
    Presence,
    StationRow,
    Undo,
)

__all__ = [
    "SILENT_AFTER_S",
    "Abilities",
    "About",
    "Answer",
    "Changes",
    "Charts",
    "ConnectionReport",
    "Doing",
    "DriverInfo",
    "Floor",
    "Identity",
    "ImportIssue",
    "ImportPreview",
    "JobCounts",
    "JobDetail",
    "JobFilter",
    "JobLink",
    "JobPage",
    "JobRow",
    "Link",
    "MachineCard",
    "MachineRow",
    "Message",
    "NeedsYou",
    "Presence",
    "ProgramDetail",
    "ProgramFinding",
    "ProgramRow",
    "Remedy",
    "RunRow",
    "Series",
    "Setting",
    "Sort",
    "SortKey",
    "StationRow",
    "Status",
    "Stretch",
    "Telemetry",
    "Toolpath",
    "Undo",
]
