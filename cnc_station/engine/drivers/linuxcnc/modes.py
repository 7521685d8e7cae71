"""Check the controller's modes before a program, and set those that differ: by a small program that
ends with %, which resets nothing. It takes 0.1 s (LinuxCNC 2.9) and keeps AUTO. MDI could override
an operator who has just switched to MANUAL, and would remain if the station were killed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from cnc_station.engine.domain.nc import Program
from cnc_station.engine.domain.nc.preconditions import GROUPS, Assumption, Mode
from cnc_station.engine.drivers.base import NotReady
from cnc_station.engine.drivers.linuxcnc.client import Refused
from cnc_station.engine.drivers.linuxcnc.link import Link
from cnc_station.engine.drivers.linuxcnc.opening import forget, open_program
from cnc_station.engine.drivers.linuxcnc.snapshot import IDLE, Snapshot
from cnc_station.engine.drivers.linuxcnc.status_text import ControllerMessages

# LinuxCNC has no scaling and no G68. A rotated work offset belongs to the work zero.
ABSENT = frozenset({Mode.SCALING, Mode.ROTATION})
# Compensation first: while it is on, plane and offset cannot be changed.
ORDER = (Mode.CUTTER_COMPENSATION, *(mode for mode in GROUPS if mode not in ABSENT))
LENGTH_OFF = "G49"
LENGTH_ON = (
    "a tool length offset is active (G43) that the program does not ask for. Cancel it with G49 at "
    "the machine's panel, or state G43 or G49 in the program"
)


@dataclass(frozen=True, slots=True)
class Unmet:
    """A mode that differs from the program: it needs `code`, and `active` is in force."""

    mode: Mode
    code: str
    active: str

    def __str__(self) -> str:
        return f"{self.code} set ({self.active} was on)"


def assumed(program: Program) -> tuple[Assumption, ...]:
    """Return what a program assumes of this controller. G7 halves X on a mill too."""
    if program.lathe or any(one.mode is Mode.DIAMETER for one in program.assumes):
        return program.assumes
    return (*program.assumes, Assumption(Mode.DIAMETER, "G8"))


def unmet(codes: frozenset[str], assumes: Sequence[Assumption]) -> tuple[Unmet, ...]:
    """Return the modes that the active codes contradict, in the order in which to set them."""
    found = []
    for one in assumes:
        active = codes & GROUPS[one.mode]
        if active and one.code not in active and one.mode not in ABSENT:
            found.append(Unmet(one.mode, one.code, "".join(sorted(active))))
    return tuple(sorted(found, key=lambda one: ORDER.index(one.mode)))


def check_length(wrong: Sequence[Unmet]) -> None:
    """Raise NotReady if a tool length is active that a person has to judge. Without it the tool
    would go deeper. With it the program may differ from the one that was read."""
    if any(one.mode is Mode.TOOL_LENGTH for one in wrong):
        raise NotReady(LENGTH_ON)


def check_modes(codes: frozenset[str], assumes: Sequence[Assumption]) -> None:
    """Raise NotReady if a mode was changed since it was set."""
    if wrong := unmet(codes, assumes):
        changes = ", ".join(f"{one.active} instead of {one.code}" for one in wrong)
        raise NotReady(f"modes were changed after the program was loaded: {changes}")


def program_of(wrong: Sequence[Unmet]) -> bytes:
    """Return a program that sets the modes, without motion. The work offset is always set again.
    Observed in 2.9: when an abort restores modes and an operator changes the mode at once, the
    controller works in G54 but reports positions in G55, and a G54 that it already has changes
    nothing."""
    codes = [one.code for one in wrong if one.mode is not Mode.WORK_OFFSET]
    lines = ["%", "(CNC Station sets the modes for the next program)", "G40", *codes]
    return "\n".join([*lines, "G55", "G54", "%", ""]).encode()


async def set_modes(
    link: Link,
    messages: ControllerMessages,
    path: str,
    assumes: Sequence[Assumption],
    check: Callable[[], Awaitable[None]],
) -> Snapshot:
    """Run the program of modes at `path`, and check that they are in force. `check` raises NotReady
    if it is another program by now. Raises NotReady; RunFailed if the controller does not find the
    file. A controller that has received `run` is not idle before the program has ended; its line
    may stay 0."""

    def in_force(now: Snapshot) -> bool:
        ended = now.state == IDLE and now.program == path
        return ended and "G54" in now.codes and not unmet(now.codes, assumes)

    await open_program(link, messages, path)
    await forget(link, messages)
    await check()
    try:
        await link.set("run")
    except Refused as error:
        raise NotReady(f"the modes of the program could not be set: {error}") from error
    now = await link.until(lambda now: bool(messages.errors) or in_force(now))
    errors = [*messages.errors, *await link.drain_errors()]
    if errors or not in_force(now):
        why = "; ".join(errors) or "the controller did not change them"
        raise NotReady(f"the modes of the program could not be set: {why}")
    return now
