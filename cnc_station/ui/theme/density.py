"""How large controls are: dense for a mouse, touch for a glove."""

from dataclasses import dataclass
from enum import StrEnum

PRIMARY_MM = 20.0
_MM_PER_INCH = 25.4
_DEFAULT_DPI = 96.0
_MAX_DPI = 240.0


class Density(StrEnum):
    """The densities a user can choose."""

    DENSE = "dense"
    TOUCH = "touch"


@dataclass(frozen=True, slots=True)
class Metrics:
    """Sizes in device-independent pixels; `primary` and `rail_item` are minimum heights."""

    touch: bool
    control: int
    primary: int
    chip_filter: int
    row: int
    gap: int
    rail_item: int
    top_bar: int
    shelf: int
    rail_width: int = 84
    radius_card: int = 10
    radius_control: int = 8
    page_margin: int = 16
    card_gap: int = 10


def primary_px(dpi: float) -> int:
    """20 mm in pixels. Screens report wrong sizes, so `dpi` is limited to 96-240."""
    return round(PRIMARY_MM / _MM_PER_INCH * min(max(dpi, _DEFAULT_DPI), _MAX_DPI))


def metrics_for(density: Density, dpi: float = _DEFAULT_DPI) -> Metrics:
    """The sizes of a density on a screen with `dpi` device-independent pixels per inch."""
    if density is Density.TOUCH:
        primary = primary_px(dpi)
        return Metrics(
            touch=True,
            control=52,
            primary=primary,
            chip_filter=48,
            row=52,
            gap=8,
            rail_item=56,
            top_bar=primary + 16,
            shelf=68,
        )
    return Metrics(
        touch=False,
        control=36,
        primary=36,
        chip_filter=36,
        row=44,
        gap=8,
        rail_item=48,
        top_bar=56,
        shelf=48,
    )
