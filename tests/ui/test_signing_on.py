"""Signing on at the window: by PIN, by badge, and off again by itself."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from argon2 import PasswordHasher

from cnc_station.config import Config
from cnc_station.engine.commands import ActOnJobs, CreateAccount, SaveSettings, TurnOnAccounts
from cnc_station.engine.domain.accounts import FREE_ATTEMPTS, Account, Credentials, Proof
from cnc_station.engine.domain.actions import JobAction
from cnc_station.engine.domain.principal import Role, local_principal
from cnc_station.engine.engine import StationEngine
from cnc_station.engine.queries import ListMachines
from cnc_station.engine.services import secret_hashes
from cnc_station.ui.frame import Frame
from cnc_station.ui.people.sign_on_pad import SignOnPad
from cnc_station.ui.people.who_is_here import SIGN_OFF_MIN
from cnc_station.ui.shell import Shell
from tests.until import until

Opened = Callable[[], AbstractAsyncContextManager[Shell]]
PASSWORD = "correct horse battery"
AT_WINDOW = local_principal("operator", "window", present=True)


@pytest.fixture
def opened(config: Config, monkeypatch: pytest.MonkeyPatch, task_watch: None) -> Opened:  # noqa: ARG001 - it looks when all is closed
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secret_hashes, "HASHER", cheap)

    @asynccontextmanager
    async def made() -> AsyncIterator[Shell]:
        shell, engine = Shell(Frame()), StationEngine(config)
        await engine.start()
        shell.window.show()
        door = engine.door(AT_WINDOW)
        shell.open(door, lambda: door.ask(ListMachines()))
        yield shell
        await shell.close()
        await engine.stop()
        shell.window.finish()
        shell.window.deleteLater()

    return made


async def turn_on(shell: Shell) -> None:
    """Accounts are on: Ada administers, Ben has a PIN and a badge."""
    door = shell.context.door
    await door.execute(TurnOnAccounts(Account("Ada", Role.ADMINISTRATOR), PASSWORD))
    await door.sign_on(Credentials(Proof.PASSWORD, PASSWORD, "Ada"))
    secrets = {Proof.PIN: "4711", Proof.BADGE: "BADGE-0042"}
    await door.execute(CreateAccount(Account("Ben", Role.OPERATOR), secrets))
    await door.sign_off()
    await until(lambda: words(shell) == "Sign on")


def words(shell: Shell) -> str:
    button = shell.window.top_bar.person
    return button.text() if button.isVisible() else ""


async def pad_of(shell: Shell) -> SignOnPad:
    shell.window.top_bar.person.click()
    await until(lambda: shell.person.pad is not None)
    pad = shell.person.pad
    assert pad is not None
    return pad


def name_of(pad: SignOnPad, person: str) -> None:
    next(button for button in pad.names if button.text().startswith(person)).click()


async def test_without_accounts_the_head_has_no_word_of_them(opened: Opened) -> None:
    async with opened() as shell:
        await until(lambda: shell.person.here is not None)
        assert words(shell) == ""
        assert shell.person.may(SaveSettings({}))
        assert not shell.window.takes_badge("BADGE-0042")


async def test_two_taps_and_a_pin_sign_a_person_on(opened: Opened) -> None:
    async with opened() as shell:
        await turn_on(shell)
        assert not shell.person.may(SaveSettings({}))
        pad = await pad_of(shell)
        name_of(pad, "Ben")
        for digit in "4711":
            pad.press(digit)
        pad.submit_button.click()
        await until(lambda: words(shell) == "Ben · operator")
        assert shell.person.may(SaveSettings({}))
        assert shell.person.pad is None
        shell.person.sign_off()
        await until(lambda: words(shell) == "Sign on")


async def test_a_scanned_badge_signs_on_and_a_job_number_does_not(opened: Opened) -> None:
    async with opened() as shell:
        await turn_on(shell)
        assert not shell.window.takes_badge("000123")
        assert shell.window.takes_badge("BADGE-0042")
        await until(lambda: words(shell) == "Ben · operator")


async def test_wrong_pins_make_the_pad_wait_and_count_down(opened: Opened) -> None:
    async with opened() as shell:
        await turn_on(shell)
        pad = await pad_of(shell)
        name_of(pad, "Ben")
        for _ in range(FREE_ATTEMPTS):
            pad.secret.setText("0815")
            pad.refresh()
            pad.submit_button.click()
            await until(lambda: "do not belong together" in pad.trouble.text())
            pad.trouble.setText("")
            await until(pad.keys.isEnabled)
        pad.secret.setText("4711")
        pad.refresh()
        pad.submit_button.click()
        await until(lambda: "Wait 5 s" in pad.trouble.text())
        pad.secret.setText("4711")
        pad.refresh()
        assert not pad.submit_button.isEnabled()
        held = await shell.context.door.execute(
            ActOnJobs(JobAction.HOLD, [1])
        )  # whoever stands here may stop machines
        assert len(held) == 1
        pad.reject()


async def test_after_the_time_of_the_settings_without_input_nobody_is_signed_on(
    opened: Opened,
) -> None:
    async with opened() as shell:
        await turn_on(shell)
        door = shell.context.door
        await door.sign_on(Credentials(Proof.PIN, "4711", "Ben"))
        await door.execute(SaveSettings({SIGN_OFF_MIN: 0.002}))
        await until(lambda: words(shell).startswith("Ben"))
        await until(lambda: words(shell) == "Sign on")
