"""One style sheet from a template of tokens: `resources/themes/station.qss`."""

from dataclasses import asdict
from string import Template

from cnc_station.bundled import bundled
from cnc_station.ui.theme.density import Metrics
from cnc_station.ui.theme.fonts import FAMILY, ROLE_SIZE, Role, weight_of
from cnc_station.ui.theme.tokens import Tokens


def style_sheet(tokens: Tokens, metrics: Metrics) -> str:
    """The template with every `$name` filled in; KeyError if it asks for a name there is not."""
    values: dict[str, object] = {**asdict(tokens), **asdict(metrics)}
    values["family"] = FAMILY
    values["icons"] = str(bundled("icons")).replace("\\", "/")
    values["mark"] = "dark" if tokens.dark else "light"
    values["inner"] = metrics.control - 2 * tokens.line_width
    values["inner_primary"] = max(metrics.control, metrics.primary) - 2 * tokens.line_width
    values["pad_primary"] = 24 if metrics.touch else 14
    values["tab_line"] = tokens.line_width + 1 + tokens.bold_words
    tick = 28 if metrics.touch else 18
    values["tick"] = tick
    values["tick_radius"] = tick // 2 + tokens.line_width
    values["tick_hole"] = tick + 2 * tokens.line_width - 12
    values["spin"] = 44 if metrics.touch else 26
    values["scroll"] = 20 if metrics.touch else 12
    for role in Role:
        values[f"size_{role.value}"] = f"{ROLE_SIZE[role]}px"
        values[f"weight_{role.value}"] = weight_of(role, bold_words=tokens.bold_words)
    return Template(bundled("themes", "station.qss").read_text("utf-8")).substitute(values)
