"""What can be done about a machine now, the most urgent first."""

from PySide6.QtWidgets import QWidget

from cnc_station.engine.domain.states import MachineState
from cnc_station.engine.views import Abilities, MachineRow
from cnc_station.ui.drivers import waits_for_set_up, wants_position
from cnc_station.ui.theme import Tone, theme
from cnc_station.ui.widgets.buttons import Button, PrimaryButton
from cnc_station.ui.widgets.hold_button import HoldButton
from cnc_station.ui.widgets.layout import hbox, vbox
from cnc_station.ui.widgets.literal import set_tip
from cnc_station.ui.widgets.tap_guard import TapGuard

S = MachineState


class MachineButtons(QWidget):
    """Hold is one tap and live whenever there is a run to hold; Continue stands beside it and is
    dead at first; Abort is a hold button, apart from the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = TapGuard(self)
        self.set_up_button = PrimaryButton(self.tr("Set up…"), tone=Tone.OPERATOR)
        self.clear_button = PrimaryButton(self.tr("Clear…"), tone=Tone.OPERATOR)
        self.unlock_button = PrimaryButton(self.tr("Unlock"), tone=Tone.OPERATOR)
        self.reconnect_button = PrimaryButton(self.tr("Try again"))
        self.position_button = PrimaryButton(self.tr("Confirm work zero…"), tone=Tone.OPERATOR)
        self.finish_button = Button(self.tr("Done…"))
        self.hold_button = PrimaryButton(self.tr("Hold"))
        self.go_on_button = PrimaryButton(self.tr("Continue"))
        self.abort_button = HoldButton(self.tr("Abort: hold 2 s"))
        warning = self.tr("Keep it pressed for 2 s. This is not an emergency stop.")
        set_tip(self.abort_button, warning)
        self.abort_button.setAccessibleDescription(warning)
        self._column = (
            self.set_up_button,
            self.clear_button,
            self.unlock_button,
            self.reconnect_button,
            self.position_button,
            self.finish_button,
        )
        for button in (*self._column, self.hold_button, self.go_on_button, self.abort_button):
            button.hide()
        gap = theme().metrics.gap
        last = hbox(
            (self.hold_button, 1), (self.go_on_button, 1), gap // 2, self.abort_button, gap=gap
        )
        vbox(*self._column, last, on=self, gap=gap)

    def show_machine(self, machine: MachineRow, can: Abilities) -> None:
        """Offer what its state and its driver allow; nothing while its station is offline."""
        state, has_job = machine.state, machine.job_id is not None
        at_work = has_job and state in {S.RUNNING, S.HELD}
        missing = machine.missing_since is not None
        offers = False
        for button, there in (
            (self.set_up_button, has_job and waits_for_set_up(machine, can)),
            (self.clear_button, state is S.NEEDS_CLEARING),
            (self.unlock_button, state is S.ALARM and can.unlocks and not missing),
            (self.reconnect_button, missing and not machine.at_work),
            (self.position_button, wants_position(machine)),
            (self.finish_button, at_work and not can.starts),
            (self.hold_button, at_work and can.holds and not missing),
            (self.go_on_button, at_work and can.goes_on and not missing),
            (self.abort_button, at_work and can.aborts),
        ):
            button.setVisible(there and machine.attended)
            offers = offers or (there and machine.attended)
        self.setVisible(offers)
        self._guard_buttons(machine.id, state)

    def _guard_buttons(self, machine_id: int, state: MachineState) -> None:
        """The top button of the column stands where another may have stood before."""
        first = next((button for button in self._column if not button.isHidden()), None)
        row = [b for b in (self.hold_button, self.go_on_button) if not b.isHidden()]
        top = [first] if first else row
        self._guard.show("top", (machine_id, first) if top else None, *top)
        held = state is S.HELD
        self._guard.show("hold", None if held else machine_id, self.hold_button)
        self._guard.show("go on", machine_id if held else None, self.go_on_button)
        opposite = [self.go_on_button] if held else []
        self._guard.show("hold or go on", (machine_id, held) if row else None, *opposite)

    def forget(self) -> None:
        """A person has chosen the machine that is shown next."""
        self._guard.forget()

    def opened(self) -> None:
        self._guard.opened()
