"""Apply the modes that a block sets, and its F, S, T and M words."""

from cnc_station.engine.domain.nc import codes, leftovers, uses
from cnc_station.engine.domain.nc.dialect import spelled
from cnc_station.engine.domain.nc.findings import BlockError
from cnc_station.engine.domain.nc.machine import FeedMode, Machine
from cnc_station.engine.domain.nc.preconditions import Mode
from cnc_station.engine.domain.nc.program import Kind, Units
from cnc_station.engine.domain.nc.words import Block, Words, whole

LATHE_AXES = frozenset("XZUW")
SHARED = frozenset({codes.ABSOLUTE, codes.SHIFT, 940})  # cycles of system A, modes of all others
PLAIN_MOTIONS = frozenset({codes.RAPID, codes.FEED, *codes.ARCS})


def translate(machine: Machine, block: Block) -> None:
    """Replace the codes that mean something else in the dialect. G90, G92 and G94 of a lathe are
    cycles only with a position and without another motion in the block."""
    dialect = machine.dialect
    for index, code in enumerate(block.g):
        if code in dialect.refused:
            raise BlockError(f"{spelled(code)} ({dialect.refused[code]}) is not supported")
        if code in dialect.warned:
            machine.findings.doubt(machine.line, f"{spelled(code)}: {dialect.warned[code]}")
            block.g[index] = codes.NEUTRAL
            continue
        meant = dialect.means.get(code, code)
        if (
            code in SHARED
            and meant in codes.PASSES
            and (LATHE_AXES.isdisjoint(block.words) or not PLAIN_MOTIONS.isdisjoint(block.g))
        ):
            meant = codes.NEUTRAL if code == codes.ABSOLUTE else code
        block.g[index] = meant


def check_groups(machine: Machine, block: Block) -> None:
    """Refuse two codes of one group."""
    seen: dict[int, int] = {}
    for code in block.g:
        group = codes.GROUP_OF.get(code)
        if group is not None and seen.setdefault(group, code) != code:
            first, second = machine.dialect.spelled(seen[group]), machine.dialect.spelled(code)
            raise BlockError(f"{first} and {second} cannot be in one block")


def set_modes(machine: Machine, block: Block) -> int | None:
    """Apply the G codes that set a mode. Return the non-modal code of the block, if any."""
    if not machine.dialect.special.isdisjoint(block.g):
        translate(machine, block)
    if len(block.g) > 1:
        check_groups(machine, block)
    acting = None
    feed_mode = machine.feed_mode
    for code in block.g:
        if code in codes.MOTIONS:
            take_motion(machine, code)
        elif code in codes.SETS:
            field, value = codes.SETS[code]
            setattr(machine, field, value)
            machine.modes.state(codes.STATES[code], code)
            machine.plane_stated |= field == "plane"
        elif code == codes.CANCEL:
            cancel_cycle(machine)
        elif not accepted(machine, code, block.words):
            acting = code
    if machine.feed_mode is not feed_mode:
        machine.feed = None  # a value in the old mode has no meaning in the new one
    machine.scale = 25.4 if machine.units is Units.INCH else 1.0
    machine.feed_checked = False
    machine.refresh()
    return acting


def take_motion(machine: Machine, code: int) -> None:
    """Make a motion code the modal one."""
    machine.motion = code
    cycle = machine.cycle
    if cycle is not None and cycle.code != code and not {cycle.code, code} <= codes.CYCLES:
        machine.cycle = None


def cancel_cycle(machine: Machine) -> None:
    """G80: cancel the motion mode, unless the same block states another."""
    if machine.motion in codes.CYCLES or machine.cycle is not None:
        machine.motion = codes.CANCEL
    machine.cycle = None


def accepted(machine: Machine, code: int, words: Words) -> bool:
    """Return whether a code is one to skip. Refuse unknown codes."""
    mode = codes.STATES.get(code)
    if mode is not None:
        machine.modes.state(mode, code)
    if code in codes.QUIET:
        return True
    if code in codes.COMPENSATION:
        uses.of_plane(machine, machine.plane)
        message = "cutter compensation is left to the control; this is the programmed path"
        machine.findings.warning(machine.line, f"{machine.dialect.spelled(code)}: {message}")
        return True
    if code == codes.SPINDLE_CAP:
        if "S" in words:
            limit_speed(machine, words.pop("S"))
        else:
            machine.modes.state(Mode.SCALING, code)
        return True
    if code in codes.EXTENDED_SYSTEMS:
        machine.system = 100 + whole(words, "P", 999, 0)
        words.pop("P", None)  # not the dwell of a cycle in force
        return True
    if code in codes.GROUP_OF:
        return False
    what = codes.UNSUPPORTED.get(code)
    if what is None:
        raise BlockError(f"{spelled(code)} is not a known code")
    raise BlockError(f"{spelled(code)} ({what}) is not supported")


def set_values(machine: Machine, block: Block) -> None:
    """Apply F, S, the D of a surface speed, and T."""
    words = block.words
    machine.feed_checked = False
    if "F" in words:
        feed = words["F"]
        if feed < 0:
            raise BlockError(f"F{feed:g}: a feed cannot be negative")
        if not machine.modes.feeds_settled:
            uses.of_feed(machine)
        machine.feed = feed if machine.feed_mode is FeedMode.INVERSE_TIME else feed * machine.scale
    if "S" in words:
        if codes.SHIFT in block.g and machine.lathe:
            limit_speed(machine, words.pop("S"))
        else:
            uses.of_speed(machine)
            set_speed(machine, words["S"])
    if "D" in words and codes.CONSTANT_SURFACE in block.g:
        machine.spindle_cap = words["D"]
    if "T" in words:
        choose_tool(machine, whole(words, "T", 999_999, 0))


def limit_speed(machine: Machine, speed: float) -> None:
    """Set the highest spindle speed for constant surface speed."""
    if speed <= 0:
        raise BlockError(f"S{speed:g}: a speed limit must be more than zero")
    machine.spindle_cap = speed


def set_speed(machine: Machine, speed: float) -> None:
    """S: rpm, or with G96 metres (feet in inches) per minute."""
    if speed < 0:
        raise BlockError(f"S{speed:g}: a spindle speed cannot be negative")
    if machine.constant_surface:
        per_unit = 304.8 if machine.units is Units.INCH else 1000.0
        machine.surface_mm_min = speed * per_unit
    else:
        machine.speed = speed
    if speed > 0:
        machine.spindle_warned = False


def choose_tool(machine: Machine, number: int) -> None:
    """T: preselect a tool. On a lathe T0101 turns the turret at once (tool 1, offset 1)."""
    if machine.lathe and number >= 100:
        machine.selected = number // 100
        change_tool(machine)
    else:
        machine.selected = number


def change_tool(machine: Machine) -> None:
    """Put the selected tool in the spindle. A change to the same tool takes no time."""
    number = machine.selected
    if number is None:
        machine.findings.warning(
            machine.line, "tool change without a tool: no T before or in this block"
        )
        return
    if number == 0:
        machine.findings.warning(machine.line, "tool 0: the spindle is left empty")
    if number not in machine.tools:
        machine.tools.append(number)
    changes = number != machine.tool
    machine.tool = number
    machine.wait(Kind.TOOL_CHANGE, machine.limits.tool_change_s if changes else 0.0)


def run_m_codes(machine: Machine, block: Block) -> None:
    """Apply the M codes that act before the motion."""
    machine.feed_checked = False
    for code in sorted(block.m, key=lambda code: code != codes.TOOL_CHANGE):
        leftovers.note_m_code(machine, code)
        if code == codes.TOOL_CHANGE:
            machine.turning = machine.spindle_warned = False
            change_tool(machine)
        elif code in codes.SPINDLE_ON:
            start_spindle(machine)
        elif code == codes.SPINDLE_OFF:
            machine.turning = False
            machine.spindle_warned = False
        elif code == codes.TOOL_IS:
            machine.tool = whole(block.words, "Q", 999_999, 0)
        else:
            check_m_code(machine, code)


def start_spindle(machine: Machine) -> None:
    """M3, M4: warn when no speed is stated."""
    uses.of_speed(machine)
    machine.turning = True
    machine.spindle_warned = False
    if (machine.surface_mm_min if machine.constant_surface else machine.speed) <= 0:
        machine.spindle_warned = True
        machine.findings.warning(
            machine.line, "spindle started without a speed: no S before or in this block"
        )


def check_m_code(machine: Machine, code: int) -> None:
    """Skip M codes that move nothing. Any other is the machine builder's own: warn about it."""
    if code in codes.M_QUIET or code in M_AFTER_MOTION:
        return
    if code in codes.M_RESTORING:
        machine.findings.warning(machine.line, f"M{code}: saved modes are not restored")
    else:
        machine.builders_own(f"M{code} is the machine's own command: what it does is not known")


M_AFTER_MOTION = frozenset(
    {codes.STOP, codes.OPTIONAL_STOP, codes.PALLET_STOP, *codes.ENDS}
    | {codes.CALL_LINES, codes.CALL, codes.RETURN}
)
