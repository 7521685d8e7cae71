"""Answers about back-ups."""

from functools import partial
from pathlib import Path

from cnc_station.engine import commands, queries
from cnc_station.engine.answers.context import AnswerContext
from cnc_station.engine.domain.backup import clock_of
from cnc_station.engine.domain.errors import Conflict, FieldError, InvalidInput
from cnc_station.engine.own_thread import on_own_thread
from cnc_station.engine.services.backups import CLOCK, FOLDER, DailyBackups, plan_of
from cnc_station.engine.store.settings import SaveSettings, settings
from cnc_station.engine.views.backups import Backups

_ANSWER_S = 10.0  # of a folder; a share that is away may never answer


def backups_now(context: AnswerContext, _query: queries.BackupsNow) -> Backups:
    """See `BackupsNow`."""
    services = context.running()
    return Backups() if services is None else services.backups.known


async def back_up_now(context: AnswerContext, _command: commands.BackUpNow, _actor: str) -> str:
    """See `BackUpNow`."""
    return str((await _service(context).make()).path)


async def set_backup_plan(
    context: AnswerContext, command: commands.SetBackupPlan, actor: str
) -> None:
    """See `SetBackupPlan`."""
    if plan_of(context.config, await context.reader.read(settings)).fixed:
        raise Conflict("The folder is set outside the window, as backup_folder.")
    try:
        at = clock_of(command.clock)
    except ValueError as error:
        raise InvalidInput(FieldError("clock", str(error))) from error
    if command.folder:
        await _refuse_missing(Path(command.folder))
    await context.writer.write(SaveSettings({FOLDER: command.folder, CLOCK: at}, actor))


async def _refuse_missing(folder: Path) -> None:
    if not folder.is_absolute():
        raise InvalidInput(FieldError("folder", "must be a full path"))
    try:
        there = await on_own_thread(partial(_is_folder, folder), _ANSWER_S)
    except TimeoutError:
        raise InvalidInput(FieldError("folder", "does not answer")) from None
    if not there:
        reason = "is not there: connect the drive or share, or make the folder"
        raise InvalidInput(FieldError("folder", reason))


def _is_folder(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except (OSError, ValueError):
        return False


def _service(context: AnswerContext) -> DailyBackups:
    services = context.running()
    if services is None:
        raise Conflict("No station is at work here: use cnc-station backup.")
    return services.backups
