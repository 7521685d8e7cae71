"""Read a program from the first block to its end, as the control executes it."""

from collections.abc import Callable
from functools import partial

from cnc_station.engine.domain.nc import (
    codes,
    cycles,
    languages,
    leftovers,
    letters,
    modal,
    motion,
    offsets,
    polar,
    roughing,
    source,
    threads,
    turning,
    uses,
)
from cnc_station.engine.domain.nc.arcs import Plane
from cnc_station.engine.domain.nc.dialect import Certainty, Dialect, Family, Reading
from cnc_station.engine.domain.nc.dialects import LINUXCNC
from cnc_station.engine.domain.nc.expressions import evaluate
from cnc_station.engine.domain.nc.findings import (
    BlockError,
    Finding,
    Findings,
    ReadingStopped,
    Severity,
)
from cnc_station.engine.domain.nc.flow import Flow
from cnc_station.engine.domain.nc.guess import guess
from cnc_station.engine.domain.nc.machine import Machine
from cnc_station.engine.domain.nc.parameters import STOP_WITH_MESSAGE
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.predefined import lookup
from cnc_station.engine.domain.nc.program import DEFAULT, Kind, Limits, Program
from cnc_station.engine.domain.nc.summary import summed_up
from cnc_station.engine.domain.nc.words import Block, Words, parse

Mover = Callable[[Machine, Words], None]
MOVERS: dict[int, Mover] = {
    codes.RAPID: motion.straight_rapid,
    codes.FEED: motion.straight_feed,
    codes.ARC_CW: motion.arc,
    codes.ARC_CCW: motion.arc,
    codes.THREADING: threads.thread,
    **dict.fromkeys(codes.SYNCHRONISED_MOTIONS, motion.synchronised),
    **dict.fromkeys(codes.PROBES, motion.probe),
    **dict.fromkeys(codes.CYCLES, cycles.drill),
    **dict.fromkeys(codes.PASSES, turning.one_pass),
}
AXES = frozenset("XYZABC")
ARC_WORDS = AXES | frozenset("IJKR")
PLAIN = AXES | frozenset("FSTNODH")


def read(program: bytes, *, limits: Limits = DEFAULT) -> Program:
    """Read a program for a machine. Never raises and always ends, for any bytes. Each fault becomes
    a finding at its line, and reading continues. The time is proportional to the number of moves,
    which `limits` bounds."""
    findings = Findings()
    machine = Machine(limits, findings, dialect_of(limits))
    machine.parameters.lookup = partial(lookup, machine)
    if source.is_rubbish(program):
        what = languages.file_type(program) or "not text"
        findings.error(0, f"this is not an NC program: it is {what}")
        return summed_up(machine, 0)
    if source.lines_in(program) > limits.max_lines:
        findings.error(0, f"the program is longer than {limits.max_lines} lines")
        return summed_up(machine, 0)
    text = source.clean(program)
    if not any(text.lines[text.first : text.last]):
        findings.error(0, "the program is empty")
        return summed_up(machine, len(text.lines))
    if limits.dialect is None:
        machine.reading = guess(text.lines, program)
    switch_on(machine, text)
    try:
        run(machine, text)
        leftovers.remark(machine)
    except ReadingStopped as stop:
        findings.error(machine.line, str(stop))
    if findings.has_errors:
        explain(findings, program, text)
    elif not len(machine.moves):
        findings.error(0, "the program does nothing: it has neither a move nor a command")
    elif not machine.feed_mm and not machine.rapid_mm:
        findings.remark(0, "the program moves nothing")
    return summed_up(machine, len(text.lines))


def is_lathe(dialect: Dialect, limits: Limits, text: source.Source) -> bool:
    """Return whether the program is for a lathe: by machine, dialect, or words."""
    if limits.lathe is not None:
        return limits.lathe
    if dialect.family is Family.EITHER:
        return text.looks_like_lathe
    return dialect.family is Family.LATHE


def dialect_of(limits: Limits) -> Reading:
    """Return the dialect of the machine. Without one, LinuxCNC's is assumed until the guess."""
    if limits.dialect is None:
        return Reading(LINUXCNC, Certainty.ASSUMED)
    return Reading(limits.dialect, Certainty.CHOSEN)


def switch_on(machine: Machine, text: source.Source) -> None:
    """Set the dialect, and the modes in force before the first block."""
    machine.dialect = dialect = machine.reading.dialect
    machine.lathe = is_lathe(dialect, machine.limits, text)
    machine.parameters.macro_b = dialect.macro_b
    if machine.lathe:
        machine.plane = Plane.ZX
    if dialect.rapid_at_start:
        machine.motion = codes.RAPID
    if dialect.diameter:
        machine.diameter = True
        machine.modes.read_with[Mode.DIAMETER] = "G7"
    for code in dialect.power_on:
        field, value = codes.SETS[code]
        setattr(machine, field, value)
        machine.modes.read_with[codes.STATES[code]] = dialect.spelled(code)
    for code in dialect.fixed:
        machine.modes.state(codes.STATES[code], code)
    machine.refresh()


def explain(findings: Findings, program: bytes, text: source.Source) -> None:
    """Replace the findings by one if this is not G-code but another file or language."""
    what = languages.file_type(program)
    if what is not None:
        findings.only(Finding(0, Severity.ERROR, f"this is not an NC program: it is {what}"))
    elif (language := languages.other_language(text.lines)) is not None:
        findings.only(language)


def run(machine: Machine, text: source.Source) -> None:
    """Execute block after block until the program ends."""
    lines = text.lines[: text.last]
    flow = Flow(lines, machine)
    numbered = roughing.Numbered(lines)
    blocks_left = len(lines) + machine.limits.max_repeated_blocks
    special = flow.statements.keys() | flow.macros.statements.keys() | flow.calls.keys()
    following: int | None = text.first
    while following is not None and following < len(lines):
        index = following
        following += 1
        line = lines[index]
        if not line:
            continue
        machine.line = index + 1
        blocks_left -= 1
        if blocks_left < 0:
            raise ReadingStopped("the program's loops do not end; reading stops here")
        try:
            if index in special and not deleted(machine, line):
                following, line = flow.step(index)
            if line:
                block = carry_out(machine, line)
                if block is not None and (block.m or machine.due is not None):
                    following = after(machine, flow, numbered, block, following)
        except ReadingStopped:
            raise
        except BlockError as error:
            machine.findings.refused(machine.line, error)
    if following is not None:
        machine.findings.warning(len(lines), "the program has no end: M2 or M30 is missing")


def after(
    machine: Machine, flow: Flow, numbered: roughing.Numbered, block: Block, following: int
) -> int | None:
    """Return the next line after a block with M codes or a profile; None when the program ends."""
    if machine.due is not None:
        following = roughing.follow(machine, numbered, block, following, carry_out)
    for code in block.m:  # M0, M1 and M60 wait for the operator after the block's motion
        if code in {codes.STOP, codes.PALLET_STOP}:
            machine.wait(Kind.STOP, 0.0)
        elif code == codes.OPTIONAL_STOP:
            machine.wait(Kind.OPTIONAL_STOP, 0.0)
    if codes.CALL in block.m:
        return flow.call_program(block.words, following)
    if codes.CALL_LINES in block.m and "P" in block.words:
        return flow.call_lines(block.words, following)
    if codes.RETURN in block.m:
        back = flow.return_from_program(following - 1, block.words)
        if back is not None:
            return back
        message = "M99 repeats the main program without end: read once"
        machine.findings.warning(machine.line, message)
    elif codes.ENDS.isdisjoint(block.m):
        return following
    else:
        machine.reset_by_end = True
    machine.wait(Kind.END, 0.0)
    return None


def deleted(machine: Machine, line: str) -> bool:
    """Return whether the block delete switch skips the line."""
    return line[0] == "/" and machine.limits.skip_deleted


def carry_out(machine: Machine, line: str) -> Block | None:
    """Execute one block in the order of RS274/NGC. Return None if it is deleted."""
    if line[0] == "/":
        if deleted(machine, line):
            return None
        line = line[1:].lstrip("0123456789")
    if "#" in line or "[" in line:
        block = evaluate(line, machine.parameters)
        if machine.parameters.signals:
            stop_by_macro(machine)
    else:
        block = parse(line)
    words = block.words
    acting = modal.set_modes(machine, block) if block.g else None
    if not words.keys() <= PLAIN:
        letters.check(machine, block, line)
        polar.convert(machine, block)
    if "F" in words or "S" in words or "T" in words:
        modal.set_values(machine, block)
    if block.m:
        modal.run_m_codes(machine, block)
    if acting is not None:
        act(machine, acting, block)
    elif not AXES.isdisjoint(words) or (
        not ARC_WORDS.isdisjoint(words) and (block.g or machine.motion in codes.ARCS)
    ):
        move(machine, words)
    return block


def act(machine: Machine, code: int, block: Block) -> None:
    """Execute a code that applies to its block only. A cycle with a profile waits for `run`."""
    if code in codes.PROFILED:
        machine.due = code
    elif code in codes.REPETITIVE:
        turning.act(machine, code, block.words)
    else:
        offsets.act(machine, code, block)


def stop_by_macro(machine: Machine) -> None:
    """Carry out #3006 (a stop with a message) and #3000 (an alarm), which end a macro's block. An
    alarm depends on what only the machine knows, so reading continues."""
    for key, value in machine.parameters.signals:
        if key == STOP_WITH_MESSAGE:
            machine.wait(Kind.STOP, 0.0)
        else:
            machine.findings.doubt(
                machine.line, f"the program raises alarm {value:g} here: read as if it went on"
            )
    machine.parameters.signals.clear()


def move(machine: Machine, words: Words) -> None:
    """Make the modal motion."""
    mover = MOVERS.get(machine.motion)
    if mover is None:
        letter = next(letter for letter in words if letter in ARC_WORDS)
        raise BlockError(f"{letter} without a motion: no G0, G1, G2, G3 or cycle is active")
    if not machine.modes.moves_settled:
        uses.of_move(machine, words)
    mover(machine, words)
    machine.check_room()
