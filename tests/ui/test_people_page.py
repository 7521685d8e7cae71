"""The page of people: accounts turned on, people added, changed and removed; errors at fields."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from argon2 import PasswordHasher

from cnc_station.engine.domain.accounts import Credentials, Proof
from cnc_station.engine.domain.principal import Role
from cnc_station.engine.queries import ListAccounts
from cnc_station.engine.services import secret_hashes
from cnc_station.ui.pages.people import PeoplePage
from cnc_station.ui.people.person_form import PersonForm
from tests.ui.real_engine import Office, opened
from tests.until import until

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(secret_hashes, "HASHER", cheap)


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[PeoplePage]:
    """Ada administers, and is signed on."""
    async with opened(office, PeoplePage(office.context)) as page:
        await until(page.empty.isVisible)
        form = page.begin()
        form.name.setText("Ada")
        form.password.setText(PASSWORD)
        form.save()
        await until(lambda: page.accounts_on)
        await office.context.door.sign_on(Credentials(Proof.PASSWORD, PASSWORD, "Ada"))
        page.arrived()
        await until(lambda: page.count.text() == "1 person")
        yield page


def fill(form: PersonForm, name: str, role: Role, pin: str) -> None:
    form.name.setText(name)
    form.role.setCurrentIndex(list(Role).index(role))
    form.pin.setText(pin)
    form.save()


async def test_a_person_is_added_changed_and_removed(office: Office, page: PeoplePage) -> None:
    form = page.add()
    fill(form, "Ben", Role.OPERATOR, "12")
    await until(lambda: "4 to 12 digits" in form.pin.accessibleDescription())
    fill(form, "Ben", Role.OPERATOR, "4711")
    await until(lambda: page.rows.total == 2)
    page.select(2)
    await until(lambda: page.detail.name.text() == "Ben")
    assert "Signs on with PIN" in page.detail.about.text()
    page.detail.enable.click()
    await until(lambda: "disabled" in page.detail.about.text())
    page.detail.remove.click()
    await until(lambda: page.rows.total == 1)
    rows = await office.context.door.ask(ListAccounts())
    assert [row.account.name for row in rows] == ["Ada"]


async def test_the_last_administrator_stays_and_the_page_says_why(
    office: Office, page: PeoplePage
) -> None:
    page.detail.remove.click()
    await until(lambda: bool(office.said.failed))
    assert "last administrator" in office.said.failed[-1]


async def test_somebody_without_the_right_reads_who_may(office: Office, page: PeoplePage) -> None:
    await office.context.door.sign_off()
    page.arrived()
    await until(lambda: "an administrator may" in page.count.text())
    assert not page.add_button.isEnabled()
