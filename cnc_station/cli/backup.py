"""`backup` and `restore`: the whole database in one file."""

from pathlib import Path

from cnc_station.cli.invocation import Call, Exit
from cnc_station.cli.output import clock, print_fields, print_json, print_progress, say
from cnc_station.engine.backup.making import back_up
from cnc_station.engine.backup.restoring import inspect, restore
from cnc_station.engine.domain.backup import Manifest
from cnc_station.engine.domain.errors import FieldError, InvalidInput
from cnc_station.secrets import complete, refuse_clear_text


def make(call: Call) -> int:
    """Write a back-up into a folder, beside a station at work or without one."""
    folder: Path | None = call.args.folder or call.config.backup_folder
    if folder is None:
        raise InvalidInput(
            FieldError("folder", "is missing: name one, or set backup_folder in the settings")
        )
    refuse_clear_text(call.config)
    made = back_up(complete(call.config), folder, _progress("backing up"))
    if call.json:
        print_json({"file": str(made.path), "size": made.size, "manifest": made.manifest})
        return Exit.OK
    say(f"{made.path} is complete and was verified: {made.size:,} bytes.")
    _print_content(call, made.manifest)
    say("It holds the shop's data, also the secrets of webhook endpoints: keep it private.")
    return Exit.OK


def bring_back(call: Call) -> int:
    """Restore a back-up, or only check it."""
    path: Path = call.args.file
    if call.args.check:
        manifest = inspect(path)
        if call.json:
            print_json({"file": str(path), "sound": True, "manifest": manifest})
        else:
            say(f"{path} is sound.")
            _print_content(call, manifest)
        return Exit.OK
    refuse_clear_text(call.config)
    done = restore(complete(call.config), path, _progress("restoring"))
    if call.json:
        print_json(done)
        return Exit.OK
    say(f"{done.database} was restored from {path.name}.")
    _print_content(call, done.manifest)
    for aside in done.put_aside:
        say(f"What was there before is in {aside}.")
    if done.settings:
        say(f"The settings of the back-up are in {done.settings}: compare them with yours.")
    say(
        "Real machines are held until a person agrees in the window, or with cnc-station db "
        "accept. Look at the queue before: jobs made since the back-up are in it again."
    )
    return Exit.OK


def _progress(words: str) -> "_Progress":
    return _Progress(words)


class _Progress:
    """Shows each new percent on a terminal."""

    def __init__(self, words: str) -> None:
        self._words = words
        self._shown = -1

    def __call__(self, part: float) -> None:
        percent = int(part * 100)
        if percent > self._shown:
            self._shown = percent
            print_progress(f"{self._words}: {percent} %", last=percent == 100)


def _print_content(call: Call, manifest: Manifest) -> None:
    jobs = ", ".join(f"{count:,} {state}" for state, count in manifest.content.jobs.items())
    print_fields(
        [
            ("Station", manifest.station),
            ("Made", clock(manifest.created_at, call.config.time_zone)),
            ("By", f"CNC Station {manifest.version}, schema {manifest.schema}"),
            ("Jobs", jobs or "none"),
            ("Machines", f"{manifest.content.machines:,}"),
            ("Programs", f"{manifest.content.programs:,}"),
            ("Not in it", "; ".join(manifest.left_out)),
        ]
    )
