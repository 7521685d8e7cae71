"""The controller's error and alarm numbers. Errors 1 to 38 and alarms 1 to 9 are common to both
dialects; the others are grblHAL's."""

_ERRORS = {
    1: "a word does not begin with a letter",
    2: "a number is missing or malformed",
    3: "the $ command is not known",
    4: "a value must not be negative",
    5: "homing is switched off in the settings",
    6: "the step pulse is too short",
    7: "its settings could not be read; it uses the defaults",
    8: "only possible while it is idle",
    9: "locked: G-code is refused in an alarm and while jogging",
    10: "soft limits need homing to be switched on",
    11: "the line is too long",
    12: "the step rate is too high",
    13: "the safety door is open",
    14: "the start-up line is too long to be stored",
    15: "the jog would leave the machine's travel",
    16: "the jog command is malformed",
    17: "laser mode needs a PWM spindle output",
    18: "its reset input is active",
    19: "a value must be more than zero",
    20: "an unknown G or M code, or an unknown word",
    21: "two codes of one group in one line",
    22: "no feed rate has been set",
    23: "a G or M code must be a whole number",
    24: "two codes in one line both use the axis words",
    25: "a word appears twice in one line",
    26: "a code needs axis words, and there are none",
    27: "the line number is out of range",
    28: "a code needs a P or L word, and there is none",
    29: "this work offset does not exist; it has G54 to G59",
    30: "G53 needs G0 or G1",
    31: "axis words without a code that uses them",
    32: "an arc without an axis word in its plane",
    33: "the target cannot be reached: an impossible arc, or no movement",
    34: "the arc's radius does not fit its end points",
    35: "an arc without I, J or K in its plane",
    36: "unused words in the line",
    37: "a tool length offset for an axis that is not configured for it",
    38: "the tool number is too large",
    39: "a value is out of range",
    40: "not possible while a tool change is pending",
    41: "the spindle is not turning",
    42: "not possible in this plane",
    43: "the feed rate is higher than the machine's",
    44: "the spindle speed is out of range",
    45: "a limit switch is pressed: only homing is possible",
    46: "it has to be homed first",
    47: "the tool is not in its table",
    48: "two words contradict each other",
    49: "its self-test failed",
    50: "the emergency stop is pressed",
    51: "a motor reports a fault",
    79: "not possible until the cause of the stop is cleared",
}

_ALARMS = {
    1: "a limit switch was hit; the position is probably lost",
    2: "the program leaves the machine's travel (soft limit)",
    3: "it was reset during motion; the position is probably lost",
    4: "the probe was not in its expected state before probing",
    5: "the probe touched nothing",
    6: "homing failed: it was reset during homing",
    7: "homing failed: the safety door was opened",
    8: "homing failed: a limit switch stays pressed after pulling off",
    9: "homing failed: a limit switch was not found",
    10: "the emergency stop is pressed",
    11: "it has to be homed first",
    12: "a limit switch is pressed",
    13: "the probe was touched while not probing",
    14: "the spindle did not reach its speed",
    15: "homing failed: the second limit switch of an axis was not found",
    16: "its self-test failed",
    17: "a motor reports a fault",
    18: "homing failed: it is not configured correctly",
}

AT_THE_MACHINE = frozenset({10, 12, 16, 17})
"""The alarms that return at once until their cause is cleared at the machine."""


def error(code: int) -> str:
    """Return `error:20` and its meaning."""
    return _spelled(f"error:{code}", _ERRORS.get(code))


def alarm(code: int) -> str:
    """Return `ALARM:1` and its meaning."""
    return _spelled(f"ALARM:{code}", _ALARMS.get(code))


def _spelled(word: str, meaning: str | None) -> str:
    return f"{word}, {meaning}" if meaning else f"{word}, an unknown number"
