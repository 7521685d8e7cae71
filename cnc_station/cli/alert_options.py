"""The arguments of `alert` and `alert-rule`."""

from argparse import ArgumentParser, BooleanOptionalAction
from collections.abc import Callable
from typing import Any

Command = Callable[..., ArgumentParser]
"""Adds one command, `of` a group: `cnc_station.cli.parser`."""


def add_alerts(command: Command, alert: Any) -> None:
    """Add the commands of `alert`."""
    about = "List the open alerts, worst first."
    show = command("list", "alert:alerts", about, of=alert).add_argument
    show("--all", action="store_true", help="also those that are over, newest first")
    show("--machine", metavar="NAME", help="all of this machine")
    show("--job", type=int, metavar="ID", help="all of this job")
    show("--limit", type=int, default=50, metavar="N", help="how many (50)")
    one = command("show", "alert:alert", "Show what was told of an alert, by which rule.", of=alert)
    one.add_argument("id", type=int, metavar="ID")
    about = "Take care of alerts: reminders and escalations stop."
    care = command("acknowledge", "alert:acknowledge", about, of=alert).add_argument
    care("ids", type=int, nargs="*", metavar="ID")
    care("--all", action="store_true", help="every open alert")
    care("--reason", default="", metavar="TEXT")


def add_rules(command: Command, rule: Any) -> None:
    """Add the commands of `alert-rule`."""

    def of(name: str, about: str) -> ArgumentParser:
        return command(name, f"alert:{name}_rule", about, of=rule)

    command("list", "alert:rules", "List the rules.", of=rule)
    new = of("add", "Add a rule; it also counts for the open alerts.")
    new.add_argument("rule", metavar="NAME")
    changed = of("edit", "Change a rule.")
    changed.add_argument("rule", metavar="RULE", help="its number or name")
    changed.add_argument("--rename", metavar="NAME")
    for parser in (new, changed):
        _fields(parser)
    for name, about in (
        ("enable", "Use a rule again."),
        ("disable", "Do not use a rule for now."),
        ("delete", "Delete a rule."),
        ("test", "Tell a test by the channel of a rule."),
    ):
        of(name, about).add_argument("rule", metavar="RULE", help="its number or name")


def _fields(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--by", dest="channel", choices=["window", "desktop", "sound"], help="(window)")
    add("--webhook", type=int, metavar="ID", help="by this endpoint: mail, chat, phone")
    add("--kind", action="append", default=[], metavar="KIND", help="machine.alarm (repeat), all")
    add("--severity", choices=["info", "warning", "critical"], help="from this on (warning)")
    add("--machine", metavar="NAME", help="only about this machine; all")
    add("--tenant", metavar="NAME", help="only about jobs of this tenant; all")
    add("--after", dest="after_s", metavar="TIME", help="when it has lasted so long: 10min (0)")
    add("--repeat", dest="repeat_s", metavar="TIME", help="every so long until acknowledged (0)")
    add("--quiet", metavar="HOURS", help="22:00-06:00: told at their end if it lasts; or none")
    add("--quiet-day", action="append", default=[], metavar="DAY", help="begin on: Mon (repeat)")
    add("--zone", dest="time_zone", metavar="ZONE", help="Europe/Berlin (that of this computer)")
    about = "critical alerts are told in quiet hours too (yes)"
    add("--critical-breaks-quiet", action=BooleanOptionalAction, default=None, help=about)
    add("--tells-end", action=BooleanOptionalAction, default=None, help="tell that it is over")
    about = "the file of a sound: critical=horn.wav (repeat)"
    add("--sound", action="append", default=[], metavar="SEVERITY=FILE", help=about)
