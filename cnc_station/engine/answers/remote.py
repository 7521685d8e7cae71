"""Commands for a job or machine of another station: written down for it, its answer awaited."""

import asyncio
from functools import partial

from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.store.remote_commands import PROMPT, AskStation, answer_of

LOOK_EVERY_S = 0.1
LOOKS = 100


async def ask_its_station(context: AnswerContext, remote: AskStation) -> str:
    """Send a remote command to the station that has the job or machine, and wait for its answer:
    why it was refused, or "" once it is done."""
    asked = await context.writer.write(remote)
    look = partial(answer_of, command_id=asked.id)
    for _ in range(LOOKS):
        if (answer := await context.reader.read(look)) is not None:
            return answer
        await asyncio.sleep(LOOK_EVERY_S)
    if asked.action in PROMPT:
        return (
            f"Station {asked.station} does not answer, and will not do it later: look at "
            "the machine, then ask again."
        )
    return f"Station {asked.station} does not answer; it may still do it later."
