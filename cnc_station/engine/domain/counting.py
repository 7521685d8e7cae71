"""The part count of a run: good, scrap or rework, each part once."""

from dataclasses import dataclass

NAMES = ("good", "scrap", "rework")


@dataclass(frozen=True, slots=True)
class PartCount:
    """Parts as a person counted them; None where nothing was counted."""

    good: int | None = None
    scrap: int | None = None
    rework: int | None = None

    @property
    def known(self) -> dict[str, int]:
        """The counts that were entered, by name."""
        counts = {name: getattr(self, name) for name in NAMES}
        return {name: count for name, count in counts.items() if count is not None}

    def mismatch(self, parts: int, *, completed: bool) -> str:
        """Return why the counts do not fit a run of `parts`; "" if they do.

        A completed run has made all its parts. Any other run has made an unknown number, but not
        more. While good or scrap is unknown, it may be the rest. Rework that was not entered is
        zero.
        """
        total = sum(self.known.values())
        whole = completed and self.good is not None and self.scrap is not None
        if total <= parts and not (whole and total < parts):
            return ""
        known = self.known.items()
        counts = " + ".join(f"{count:,} {name}" for name, count in known if count or not total)
        are = f"{counts} {'is' if total == 1 else 'are'} {_parts(total)}"
        made = f"the run made {parts:,}" if completed else f"the run was to make {parts:,}"
        return f"{are}, but {made}."


def _parts(count: int) -> str:
    return "1 part" if count == 1 else f"{count:,} parts"
