"""`attach`: attach files to a job, or list what is attached to it."""

from cnc_station.cli.client import client
from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import print_json, print_table, say
from cnc_station.engine.commands import AttachFile
from cnc_station.engine.domain.attachments import MOST_BYTES
from cnc_station.engine.domain.errors import Conflict
from cnc_station.engine.outside_file import read_outside_file
from cnc_station.engine.queries import JobById, ListAttachments


async def attach(call: Call) -> int:
    """Attach the files in order; without any, list the attachments."""
    job_id: int = call.args.job
    files = [(path.name, await read_outside_file(path, MOST_BYTES)) for path in call.args.files]
    async with client(call.config) as door:
        if not files:
            if await door.ask(JobById(job_id)) is None:
                raise Conflict(f"There is no job {job_id}.")
            rows = await door.ask(ListAttachments(job_id=job_id))
        else:
            rows = ()
        for name, content in files:
            rows += await door.execute(AttachFile(name, content, (job_id,)))
    if call.json:
        print_json({"attachments": rows})
    elif files:
        said = ", ".join(row.name for row in rows)
        say(f"Attached to job {job_id}: {said}.")
    else:
        sizes = ((row.name, f"{row.size:,}", row.program or "", row.added_by) for row in rows)
        print_table(["name", "bytes", "of program", "added by"], list(sizes))
    return Exit.OK
