"""Parse the command line."""

from argparse import SUPPRESS, Action, ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from cnc_station import __doc__ as purpose
from cnc_station import __version__
from cnc_station.cli.account_options import add_switch, add_users
from cnc_station.cli.alert_options import Command, add_alerts, add_rules
from cnc_station.cli.format_options import FROM_STDIN, add_changes, add_format_options
from cnc_station.engine.domain.actions import BULK_ACTIONS


class WrongUsage(Exception):
    """The arguments are not a valid command. The message states why."""


class _Seen(Action):
    """Refuses a secret among the arguments."""

    def __call__(self, parser: ArgumentParser, *_others: object, **_more: object) -> NoReturn:
        parser.error(
            f"all accounts of this computer can read arguments: use {self.option_strings[0]}"
            "-from-stdin, and give out a new secret"
        )


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise WrongUsage(f"{message} (see {self.prog} --help)")


def parse(argv: Sequence[str]) -> Namespace:
    """Return the arguments as settings of one command: `command` is `module:function`.

    Raises WrongUsage; SystemExit after `--help` and `--version`.
    """
    return _parser(argv[0] if argv else None).parse_args(argv)


def whole_parser() -> ArgumentParser:
    """Return the parser of all commands with their arguments, for shell completion."""
    return _parser(None)


def _file(text: str) -> Path:
    return Path(text).absolute()


def _common() -> _Parser:
    common = _Parser(add_help=False, argument_default=SUPPRESS)
    common.add_argument("--json", action="store_true", help="answer in JSON")
    common.add_argument("--database", metavar="FILE", help="the station's database")
    common.add_argument("--config", metavar="FILE", help="a TOML file of settings")
    common.add_argument(
        "--as", dest="operator", metavar="NAME", help="name of the person, for the history"
    )
    return common


def _parser(first: str | None) -> _Parser:
    """Know every command, and the arguments of the one that comes first. If something else does,
    those of all."""
    common = _common()
    parser = _Parser(prog="cnc-station", description=purpose, parents=[_common()])
    parser.set_defaults(
        command="cnc_station.cli.window:window", json=False, database=None, config=None
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    add_arguments: dict[str, Callable[[], None]] = {}

    def command(
        name: str,
        function: str,
        about: str,
        add: Callable[[ArgumentParser], None] | None = None,
        of: Any = commands,
    ) -> ArgumentParser:
        made: ArgumentParser = of.add_parser(name, help=about, description=about, parents=[common])
        made.set_defaults(command=f"cnc_station.cli.{function}")
        if add is not None:
            add_arguments[name] = partial(add, made)
        return made

    def group(name: str, about: str, add: Callable[[Command, Any], None]) -> None:
        made = commands.add_parser(name, help=about, description=about)
        of = made.add_subparsers(title="commands", metavar="COMMAND", required=True)
        add_arguments[name] = partial(add, command, of)

    command("open", "window:window", "Open the window with NC files or a table of jobs.", _open)
    command("demo", "window:demo", "Open the window on a shop's demo day.", _demo)
    command("serve", "window:serve", "Run the station without a window.", _serve)
    command("submit", "submit:submit", "Submit one job.", _submit)
    command("import", "imports:import_table", "Import a CSV or XLSX table of jobs.", _import)
    command("jobs", "show:jobs", "List jobs, by default the open ones.", _jobs)
    about = "Do one thing to all jobs that match, with their number first."
    command("act", "act:act", about, _act)
    command("job", "show:job", "Show a job with its runs and its history.", _one)
    about = "Attach drawings, photos or sheets to a job, or list them."
    command("attach", "attach:attach", about, _attach)
    command("runs", "runs:runs", "List the latest runs of all jobs, newest first.", _runs)
    command("run", "runs:run", "Show a run with its result and its output.", _one)
    command("machines", "show:machines", "List the machines and their states.")
    command("events", "show:events", "List events, oldest first.", _events)
    command("logs", "logs:logs", "Show what the stations have logged.", _logs)
    group("schedule", "Schedules: jobs that come by the clock.", _schedules)
    group("db", "Look after the database.", _db)
    command("backup", "backup:make", "Write a back-up of the database into a folder.", _backup)
    command("restore", "backup:bring_back", "Restore a back-up; stop the station first.", _restore)
    group("secret", "Store a server's password outside the settings.", _secret)
    group("webhook", "Tell other programs, phones, chats and people by e-mail.", _webhooks)
    about = "Receive webhooks on this computer and show them."
    command("webhook-test", "webhook_test:receive", about, _webhook_test)
    for name, (about, add) in _GROUPS.items():
        group(name, about, add)
    command("doctor", "doctor:doctor", "Check everything the station needs.", _doctor)
    for name in [first] if first in commands.choices else [*add_arguments]:
        if name in add_arguments:
            add_arguments[name]()
    return parser


def _open(parser: ArgumentParser) -> None:
    parser.add_argument("files", nargs="*", type=_file, metavar="FILE")


def _demo(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--speed", dest="simulator_speed", default="20", metavar="N", help="times real time (20)"
    )


def _serve(parser: ArgumentParser) -> None:
    parser.add_argument("--demo", action="store_true", help="on a shop's demo day")


def _one(parser: ArgumentParser) -> None:
    parser.add_argument("id", type=int, metavar="ID")


def _attach(parser: ArgumentParser) -> None:
    parser.add_argument("job", type=int, metavar="JOB", help="its number")
    parser.add_argument("files", nargs="*", type=_file, metavar="FILE", help="PDF, PNG or JPEG")


_GROUPS: Mapping[str, tuple[str, Callable[[Command, Any], None]]] = {
    "accounts": ("Whether people sign on.", add_switch),
    "user": ("Users, and the tokens of programs.", add_users),
    "alert": ("Alerts: what asks for a person.", add_alerts),
    "alert-rule": ("Who is told of alerts, when, and how often.", add_rules),
}


def _doctor(parser: ArgumentParser) -> None:
    about = "also put logs, settings, versions and health into one file to send, without passwords"
    parser.add_argument("--bundle", nargs="?", const="", metavar="FILE", help=about)
    parser.add_argument(
        "--probe-window",
        dest="command",
        action="store_const",
        const="cnc_station.cli.doctor_window:probe",
        help=SUPPRESS,
    )


def _db(command: Command, db: Any) -> None:
    command("status", "db:status", "Show its schema, and whether it fits this program.", of=db)
    about = "Upgrade it to this program's schema; stop all stations first."
    command("upgrade", "db:upgrade", about, of=db)
    about = "Agree that the machines of a moved or copied database are run from this computer."
    command("accept", "db:accept", about, of=db)


def _backup(parser: ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=_file, nargs="?", metavar="FOLDER", help="(backup_folder of the settings)"
    )


def _restore(parser: ArgumentParser) -> None:
    parser.add_argument("file", type=_file, metavar="FILE", help="a back-up")
    parser.add_argument("--check", action="store_true", help="only check it, and say what it holds")


def _secret(command: Command, secret: Any) -> None:
    about = "Ask for a server's password, or read it from stdin."
    keep = command("set", "secret:keep", about, of=secret)
    keep.add_argument(
        "--file", action="store_true", help="in a file, for a station that starts by itself"
    )
    forget = command("forget", "secret:forget", "Delete a server's password.", of=secret)
    servers = ["database", "redis", "webhook", "smtp"]
    keep.add_argument("server", choices=[*servers, "pins"])
    forget.add_argument("server", choices=servers)
    about = "Show the key of PINs and badges, to set it at another station of the fleet."
    show = command("show", "secret:show", about, of=secret)
    show.add_argument("key", choices=["pins"])
    rotate = command("rotate", "secret:rotate", "Sign tokens with a new key.", of=secret)
    rotate.add_argument("key", choices=["api"])
    about = "how long tokens of the former key are accepted (1d)"
    rotate.add_argument("--overlap", metavar="TIME", default="1d", help=about)


def _webhooks(command: Command, webhook: Any) -> None:
    def of(name: str, about: str) -> ArgumentParser:
        return command(name, f"webhook:{name}", about, of=webhook)

    command("list", "webhook:endpoints", "List the endpoints.", of=webhook)
    add = of("add", "Add an endpoint; a secret made for it is shown only now.")
    add_format_options(add)
    edit = of("edit", "Change what is given of an endpoint; its format and its secret stay.")
    edit.add_argument("id", type=int, metavar="ID")
    add_changes(edit)
    edit.add_argument("--all-tenants", action="store_true", help="about jobs of every customer")
    of("test", "Send a test to an endpoint.").add_argument("id", type=int, metavar="ID")
    rotate = of("rotate", "Give an endpoint a new secret.").add_argument
    rotate("id", type=int, metavar="ID")
    rotate("--secret-from-stdin", action="store_true", help=FROM_STDIN)
    rotate("--overlap", default="24h", metavar="TIME", help="sign with both for so long (24h)")
    of("delete", "Delete an endpoint.").add_argument("id", type=int, metavar="ID")
    for name, about in (
        ("enable", "Send to an endpoint again."),
        ("disable", "Send nothing to an endpoint for now."),
    ):
        of(name, about).add_argument("id", type=int, metavar="ID")
    show = of("deliveries", "List deliveries, newest first, or show one.").add_argument
    show("id", type=int, nargs="?", metavar="ID", help="show this one with its attempts")
    show("--limit", type=int, default=50, metavar="N", help="how many (50)")
    again = of("replay", "Send deliveries again.")
    _confirmation(again, "deliveries")
    replay = again.add_argument
    replay("ids", type=int, nargs="*", metavar="ID")
    for option in (show, replay):
        option("--webhook", type=int, metavar="ID", help="to this endpoint")
        option("--job", type=int, metavar="ID", help="about this job")
        option("--event", metavar="NAME", help="of this event: job:failed, alert")
        option("--since", metavar="WHEN", help="queued from then on: 17:00, '2026-11-23 17:00'")
        option("--state", action="append", default=[], help="pending, delivered, dead (repeat)")


def _webhook_test(parser: ArgumentParser) -> None:
    receive = parser.add_argument
    receive("--port", type=int, default=8461, metavar="N", help="to listen on (8461; 0: any)")
    receive("--secret-from-stdin", action="store_true", help=FROM_STDIN)
    receive("--secret", action=_Seen, help=SUPPRESS)
    receive("--respond", default="200", metavar="STATUS", help="a status, hang or close (200)")
    receive("--delay", default="0", metavar="TIME", help="wait so long before the answer: 2s")
    receive("--count", type=int, metavar="N", help="end after so many requests")


def _submit(parser: ArgumentParser) -> None:
    """Add the options of a job."""
    add = parser.add_argument
    add("program", nargs="?", help="an NC file, or the name of a stored program")
    add("--name", help="the name of the part (default: that of the program)")
    add("--type", dest="machine_type", help="the type of machine it needs: mill, lathe, drill")
    add("--material")
    add("--complexity", metavar="1-5")
    add("--priority", help="0 to 100, or low, medium, high")
    add("--runtime", dest="estimated_s", metavar="TIME", help="of ONE part: 90, 12min, 0:12:30")
    add("--quantity", metavar="N", help="parts to make in one run")
    add("--due", dest="due_at", metavar="WHEN", help="'2026-11-23 17:00', 17:00, +2h30m")
    add("--not-before", metavar="WHEN")
    add("--work-order", metavar="NAME")
    add("--operation", metavar="NAME", help="its step in the work order: op10")
    add("--after", metavar="ID", action="append", help="a job that must complete first (repeat)")
    add("--machine", dest="pinned_machine_id", metavar="NAME", help="only on this machine")
    add("--axes", metavar="N", help="the axes it needs (3)")
    add("--size", dest="envelope", metavar="XxYxZ", help="of the part in mm: 100x50x20")
    add("--description", metavar="TEXT")
    add("--notes", metavar="TEXT", help="for the person at the machine")
    add("--customer", metavar="NAME")
    add("--external-id", metavar="ID", help="its id in another system, given to one job only")
    add("--tenant", metavar="NAME", help="the tenant whose job it is")
    add("--handler", metavar="NAME", help="what does it, if no machine: http.webhook, for example")
    add("--payload", metavar="JSON", help="a JSON object stored with the job, for its handler")
    add("--retry-limit", metavar="N")
    add("--timeout", dest="timeout_s", metavar="TIME", help="of one run: 2h")
    add("--draft", action="store_true", help="save it as a draft, not in the queue")


def _schedules(command: Command, schedule: Any) -> None:
    def of(name: str, about: str) -> ArgumentParser:
        return command(name, f"schedule:{name}_schedule", about, of=schedule)

    of("list", "List the schedules with their next time and last outcome.")
    new = of("add", "Add a schedule; the other options describe its jobs.")
    new.add_argument("schedule", metavar="NAME", help="of the schedule")
    new.add_argument("cron", metavar="RULE", help="'30 2 * * 1-5', '*/15 * * * *', @daily")
    new.add_argument("--paused", action="store_true", help="paused from the beginning")
    changed = of("edit", "Change a schedule; the other options describe its jobs.")
    changed.add_argument("schedule", metavar="SCHEDULE", help="its number or name")
    changed.add_argument("--rename", metavar="NAME")
    for parser in (new, changed):
        _submit(parser)
    shown = of("next", "Show the next times of a schedule, or of a rule.")
    shown.add_argument("schedule", nargs="?", metavar="SCHEDULE", help="its number or name")
    for parser in (changed, shown):
        parser.add_argument("--cron", metavar="RULE", help="'30 2 * * 1-5', @daily")
    for parser in (new, changed, shown):
        _times(parser)
    for name, about in (
        ("pause", "Pause a schedule, all that match, or all."),
        ("resume", "Resume a schedule, all that match, or all, with the next time to come."),
        ("trigger", "Make a job of a schedule, or of all that match, now."),
        ("delete", "Delete a schedule, or all that match, with its history; its jobs stay."),
    ):
        parser = of(name, about)
        parser.add_argument("schedule", nargs="?", metavar="SCHEDULE", help="its number or name")
        parser.add_argument("--match", metavar="TEXT", help="all whose name, job or rule has this")
        _confirmation(parser, "schedules")
        if name in ("pause", "resume"):
            parser.add_argument("--all", action="store_true", help="every schedule")
    runs = of("runs", "Show what came of the times of a schedule, newest first.")
    runs.add_argument("schedule", metavar="SCHEDULE", help="its number or name")
    runs.add_argument("--limit", type=int, default=50, metavar="N", help="how many (50)")


def _times(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--zone", dest="time_zone", metavar="ZONE", help="Europe/Berlin (that of this computer)")
    add("--catch-up", choices=["skip", "once", "all"], help="times missed while no station ran")
    add("--overlap", choices=["skip", "queue", "allow"], help="while a job of it is open")
    add("--jitter", dest="jitter_s", metavar="TIME", help="at most so much later: 90, 5min")
    add("--starts", dest="starts_at", metavar="WHEN")
    add("--ends", dest="ends_at", metavar="WHEN")


def _import(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="CSV or XLSX")
    add(
        "--map",
        action="append",
        default=[],
        metavar="FIELD=COLUMN",
        help="the meaning of a column (repeat; without a column: none)",
    )
    add("--programs", metavar="FOLDER", help="store the NC files of this folder first")
    add("--preview", action="store_true", help="only show what would be imported")


def _job_filter(parser: ArgumentParser) -> None:
    """Add the options that choose jobs."""
    add = parser.add_argument
    add("text", nargs="*", help="text in its name, operation, work order, customer or material")
    add("--id", type=int, action="append", default=[], metavar="ID", help="this job (repeat)")
    add("--state", action="append", default=[], help="in this state (repeat), or all")
    add("--type", action="append", default=[], help="for this type of machine (repeat)")
    add("--handler", action="append", default=[], metavar="NAME", help="of this handler (repeat)")
    add("--work-order", metavar="NAME")
    add("--external-id", metavar="ID", help="known to another system by this id")
    add("--owner", metavar="NAME", help="submitted by this person or program")
    add("--tenant", metavar="NAME")
    add("--min-priority", type=int, metavar="N")
    add("--max-priority", type=int, metavar="N")
    add("--late", action="store_true", help="only what is late")


def _act(parser: ArgumentParser) -> None:
    add = parser.add_argument
    actions = sorted(action.replace("_", "-") for action in BULK_ACTIONS)
    add("action", choices=actions, metavar="ACTION", help=", ".join(actions))
    _job_filter(parser)
    _confirmation(parser, "jobs")
    add("--reason", default="", metavar="TEXT", help="for the history")
    add("--machine", metavar="NAME", help="for pin: the machine (without: any that fits)")
    add("--until", metavar="WHEN", help="for delay: '2026-11-23 17:00', 17:00, +2h30m")
    add("--to", metavar="STATE", help="for override: the state, with a reason")


def _jobs(parser: ArgumentParser) -> None:
    _job_filter(parser)
    add = parser.add_argument
    add(
        "--sort",
        default="queue",
        metavar="COLUMN",
        help="queue (default), due, created, ...; --sort=-due for the reverse order",
    )
    add("--limit", type=int, default=50, metavar="N", help="how many (50)")
    add("--offset", type=int, default=0, metavar="N", help="skip the first N")


def _runs(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("text", nargs="*", help="text in the job, handler, machine, station, error or result")
    add("--job", type=int, metavar="ID")
    add("--machine", metavar="NAME")
    add("--handler", metavar="NAME", help="test.delay, for example")
    add("--station", metavar="NAME")
    add("--outcome", action="append", default=[], help="succeeded, failed, ... (repeat)")
    add("--since", metavar="WHEN", help="'2026-11-23 17:00', 17:00")
    add("--until", metavar="WHEN")
    add("--limit", type=int, default=50, metavar="N", help="how many (50)")
    one = parser.add_mutually_exclusive_group()
    one.add_argument("--retry", action="store_true", help="retry the jobs of all that match")
    cancel = "cancel all that match and are under way in a handler"
    one.add_argument("--cancel", action="store_true", help=cancel)
    _confirmation(parser, "jobs")


def _confirmation(parser: ArgumentParser, things: str) -> None:
    """Add the options that confirm how many there are."""
    add = parser.add_argument
    add("--expect", type=int, metavar="N", help=f"only if so many {things} match")
    add("--yes", action="store_true", help="do it, however many match")


def _events(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--job", type=int, metavar="ID")
    add("--machine", metavar="NAME")
    add("--after", type=int, default=0, metavar="ID", help="only those after this event")
    add("--limit", type=int, default=100, metavar="N", help="how many (100)")


def _logs(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--job", type=int, metavar="ID", help="only lines about this job")
    add("--trace", metavar="ID", help="only lines with this trace id")
    add("--station", metavar="NAME", help="only lines of this station")
    add("--since", metavar="WHEN", help="17:00, '2026-11-23 17:00', or 2h for two hours ago")
    levels = ["debug", "info", "warning", "error", "critical"]
    add("--level", choices=levels, default="debug", metavar="LEVEL", help="at least this: warning")
    add("--limit", type=int, default=100, metavar="N", help="how many, the newest (100)")
    add("--follow", action="store_true", help="go on with what comes")
