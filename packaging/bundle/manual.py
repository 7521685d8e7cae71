"""Writes the manual page from the parser of the command line: each command with all its options."""

from argparse import SUPPRESS, Action, ArgumentParser, _SubParsersAction
from collections.abc import Iterator

_HEAD = r""".TH CNC-STATION 1 "" "CNC Station {version}" "User Commands"
.SH NAME
cnc-station \- jobs, machines and controllers of a small machine shop
.SH SYNOPSIS
.B cnc-station
[\fIOPTION\fR]... [\fICOMMAND\fR [\fIARGUMENT\fR]...]
.SH DESCRIPTION
{purpose}
.PP
Without a command it opens its window. All commands but
.BR open ", " demo " and " serve
talk to the station at work here, or open its database themselves.
.SH OPTIONS
"""
_TAIL = r""".SH ENVIRONMENT
Each setting of the file is also a variable: \fBtheme\fR is \fBCNC_THEME\fR.
.TP
.B CNC_CONFIG
the file of settings
.TP
.B CNC_DATA_FOLDER
the folder of the database, the logs and all else that is written
.SH FILES
.TP
.I ~/.config/cnc-station/cnc-station.toml
settings of a person's window
.TP
.I ~/.local/share/cnc-station/
the data of a person's window
.TP
.I /etc/cnc-station/cnc-station.toml
settings of the service \fBcnc-station.service\fR
.TP
.I /var/lib/cnc-station/
the data of the service
.SH EXIT STATUS
{exits}.SH SEE ALSO
.BR systemctl (1)
"""


def manual(parser: ArgumentParser, version: str, exits: dict[int, str]) -> str:
    """Return the page in troff. `exits` says what each exit status means."""
    page = _HEAD.format(version=version, purpose=_text(parser.description or ""))
    page += "".join(_options(parser))
    page += ".SH COMMANDS\nEach takes the options above, and its own.\n"
    page += "".join(_commands(parser, ""))
    lines = [f".TP\n.B {code}\n{_text(meaning)}\n" for code, meaning in exits.items()]
    return page + _TAIL.replace("{exits}", "".join(lines))


def _commands(parser: ArgumentParser, before: str) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask
        if isinstance(action, _SubParsersAction):
            for name, command in action.choices.items():
                own = list(_options(command))
                below = list(_commands(command, f"{before}{name} "))
                yield f".SS {_text(before + name)}\n{_text(command.description or '')}\n"
                yield from own
                yield from below


def _options(parser: ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 - as above
        if action.help is SUPPRESS or isinstance(action, _SubParsersAction):
            continue
        if parser.prog.count(" ") and action.dest in _COMMON:
            continue
        yield f".TP\n{_label(action)}\n{_text(action.help or '')}\n"


_COMMON = {"help", "json", "database", "config", "operator"}


def _label(action: Action) -> str:
    value = ""
    if action.nargs != 0:
        value = str(action.metavar or "|".join(map(str, action.choices or [action.dest.upper()])))
    names = ", ".join(rf"\fB{_text(name)}\fR" for name in action.option_strings)
    return " ".join(part for part in (names, rf"\fI{_text(value)}\fR" if value else "") if part)


def _text(text: str) -> str:
    """Escape what troff reads as its own."""
    plain = text.replace("%%", "%").replace("\\", r"\e").replace("-", r"\-").replace("\n", " ")
    return rf"\&{plain}" if plain.startswith((".", "'")) else plain
