"""The Integrations page: endpoints and their secrets, deliveries and their replay."""

from collections.abc import AsyncIterator

import pytest_asyncio
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QPushButton
from shiboken6 import isValid

from cnc_station.engine.commands import CreateWebhook, DeleteWebhook, TestWebhook
from cnc_station.engine.domain.message_formats.options import BodyKind, MessageFormat, Template
from cnc_station.engine.domain.webhooks import WebhookEvent, WebhookSpec
from cnc_station.engine.queries import ListWebhooks
from cnc_station.engine.store.webhooks import DisableWebhook, SettingsWebhook
from cnc_station.engine.views.webhooks import DeliveryState, WebhookRow
from cnc_station.ui.dialogs.webhook_form import WebhookForm
from cnc_station.ui.dialogs.webhook_secret import SecretDialog
from cnc_station.ui.pages.attention import AttentionPage
from cnc_station.ui.pages.deliveries import DeliveriesList
from cnc_station.ui.pages.endpoints import EndpointsList
from cnc_station.ui.pages.integrations import IntegrationsPage
from cnc_station.ui.theme import Density, ThemeName, apply_theme
from tests.engine.hooks import delay, listen, receiver
from tests.ui.real_engine import Office, opened
from tests.until import until

DEAD, DELIVERED, PENDING = DeliveryState.DEAD, DeliveryState.DELIVERED, DeliveryState.PENDING


@pytest_asyncio.fixture
async def page(office: Office) -> AsyncIterator[IntegrationsPage]:
    async with opened(office, IntegrationsPage(office.context)) as page:
        yield page


def tap(button: QAbstractButton) -> None:
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)


async def endpoints(office: Office) -> tuple[WebhookRow, ...]:
    return await office.door.ask(ListWebhooks())


async def listed(shown: EndpointsList, *hosts: str) -> None:
    await until(lambda: [row.url for row in shown.rows.rows] == list(hosts))


def states(shown: DeliveriesList) -> list[DeliveryState]:
    return [row.state for row in shown.rows.rows]


async def add(office: Office, url: str = "http://127.0.0.1:9/hook", *events: str) -> int:
    return (await listen(office.door, url, *events))[0]


async def test_the_first_endpoint_is_added_and_its_secret_is_shown_once(
    office: Office, page: IntegrationsPage
) -> None:
    shown = page.endpoints
    await until(shown.empty.isVisible)
    shown.empty.step.emit()
    form = page.findChild(WebhookForm)
    assert form is not None
    form.url.setText("ftp://erp")
    form.events.set_value(())
    tap(form.save_button)
    await until(lambda: "must be an address" in form.fields["url"].error)
    assert form.fields["events"].error == "at least one"
    form.url.setText("http://127.0.0.1:9/hook?key=1")
    form.events.boxes[WebhookEvent.FAILED].setChecked(True)
    form.tenant.setText("acme")
    form.secret.setText("my own secret")
    tap(form.save_button)
    await until(lambda: page.findChild(SecretDialog) is not None)
    dialog = page.findChild(SecretDialog)
    assert dialog is not None
    assert dialog.secret.text() == "my own secret"
    tap(dialog.copy_button)
    assert QGuiApplication.clipboard().text() == "my own secret"
    tap(dialog.close_button)
    (row,) = await endpoints(office)
    assert (row.tenant, row.events, row.enabled) == ("acme", (WebhookEvent.FAILED,), True)
    await listed(shown, "http://127.0.0.1:9/hook?key=1")
    facts = shown.detail.facts.pairs()
    assert (facts["Hears of"], facts["Customer"]) == ("Run failed", "acme")


async def test_the_fields_of_the_form_depend_on_the_format(
    office: Office, page: IntegrationsPage
) -> None:
    form = page.endpoints.add()

    def shown() -> set[str]:
        return {name for name, field in form.fields.items() if not field.isHidden()}

    always = {"format", "url", "events", "tenant"}
    assert shown() == {*always, "secret"}
    form.choose_format(MessageFormat.SLACK)
    assert shown() == always
    form.choose_format(MessageFormat.TELEGRAM)
    assert shown() == {*always, "chat", "secret"}
    assert form.url.text() == "https://api.telegram.org"
    form.choose_format(MessageFormat.EMAIL)
    form.url.setText("anna@shop.example, nobody")
    tap(form.save_button)
    await until(lambda: "'nobody' is not an e-mail address" in form.fields["url"].error)
    form.choose_format(MessageFormat.TEMPLATE)
    assert shown() == {*always, "method", "kind", "headers", "body", "secret"}
    form.url.setText("https://sms.example/send")
    form.own.headers.setPlainText("Authorization: Bearer abc")
    form.own.body.setPlainText('{"text": "{title}"}')
    tap(form.save_button)
    await until(lambda: "Authorization must use {secret}" in form.fields["headers"].error)
    form.own.headers.setPlainText("Authorization: Bearer {secret}")
    form.secret.setText("a-token-1")
    tap(form.save_button)
    await until(lambda: page.endpoints.rows.total == 1)
    (row,) = await endpoints(office)
    assert row.options.template == Template(
        "POST", {"Authorization": "Bearer {secret}"}, BodyKind.JSON, '{"text": "{title}"}'
    )
    assert row.events == ()
    assert page.endpoints.detail.facts.pairs()["Hears of"] == "alerts only"


async def test_an_edit_keeps_a_secret_address_and_a_typed_secret_is_replaced(
    office: Office, page: IntegrationsPage
) -> None:
    slack = "https://hooks.slack.com/services/T0/B0/secret"
    await listen(office.door, slack, format=MessageFormat.SLACK)
    shown = page.endpoints
    await listed(shown, "https://hooks.slack.com/…")
    assert shown.detail.secret_button.isHidden()
    form = shown.edit()
    assert form is not None
    form.tenant.setText("acme")
    tap(form.save_button)
    await until(lambda: [row.tenant for row in shown.rows.rows] == ["acme"])
    made = await office.door.execute(
        CreateWebhook(WebhookSpec("https://ntfy.sh/shop", (), format=MessageFormat.NTFY))
    )
    shown.select(made.id)
    await until(shown.detail.secret_button.isVisible)
    tap(shown.detail.secret_button)
    dialog = page.findChild(SecretDialog)
    assert dialog is not None
    dialog.typed.setText("with a space")
    tap(dialog.make_button)
    await until(lambda: "without spaces" in dialog.trouble.text())
    dialog.typed.setText("tk_12345678")
    tap(dialog.make_button)
    await until(lambda: not isValid(dialog) or not dialog.isVisible())


async def test_an_endpoint_is_edited_switched_off_and_removed_by_a_long_press(
    office: Office, page: IntegrationsPage
) -> None:
    await add(office)
    shown = page.endpoints
    await listed(shown, "http://127.0.0.1:9/hook")
    form = shown.edit()
    assert form is not None
    form.url.setText("http://127.0.0.1:9/other")
    tap(form.save_button)
    await until(lambda: not isValid(form) or not form.isVisible())
    await listed(shown, "http://127.0.0.1:9/other")
    tap(shown.detail.switch_button)
    await until(lambda: shown.detail.switch_button.text() == "Switch on")
    assert [row.enabled for row in await endpoints(office)] == [False]
    assert office.said.done == ["127.0.0.1:9/other is off"]
    tap(shown.detail.remove_button)
    QTest.mousePress(shown.detail.remove_button, Qt.MouseButton.LeftButton)
    await until(shown.empty.isVisible)
    assert await endpoints(office) == ()


async def test_a_test_shows_its_answer_in_place_and_leads_to_its_delivery(
    office: Office, page: IntegrationsPage
) -> None:
    async with receiver(lambda _: 500) as hook:
        await add(office, hook.url)
        shown = page.endpoints
        await listed(shown, hook.url)
        tap(shown.detail.test_button)
        assert not shown.detail.test_button.isEnabled()
        assert shown.detail.test_words.text() == "Sent. Waiting for the answer…"
        await until(shown.detail.tested_button.isVisible)
        assert shown.detail.test_words.text().startswith("500 in ")
        assert shown.detail.test_chip.look.word == "Dead"
        hook.status = lambda _: 200
        tap(shown.detail.test_button)
        await until(lambda: shown.detail.test_words.text().startswith("200 in "))
        assert shown.detail.test_words.text().endswith("\nnoted")
        tap(shown.detail.tested_button)
        sent = page.deliveries
        await until(lambda: states(sent) == [DELIVERED, DEAD])
        await until(lambda: "noted" in sent.detail.exchange.text())


async def test_a_new_secret_is_made_while_the_former_one_stays_valid(
    office: Office, page: IntegrationsPage
) -> None:
    await add(office)
    await listed(page.endpoints, "http://127.0.0.1:9/hook")
    tap(page.endpoints.detail.secret_button)
    dialog = page.findChild(SecretDialog)
    assert dialog is not None
    assert not dialog.secret.isVisible()
    tap(dialog.make_button)
    await until(dialog.secret.isVisible)
    assert len(dialog.secret.text()) >= 32
    assert dialog.words.text().startswith("The former secret stays valid until ")
    tap(dialog.close_button)
    await until(lambda: "Former secret" in page.endpoints.detail.facts.pairs())


async def test_an_endpoint_of_the_settings_says_so_and_cannot_be_changed(
    office: Office, page: IntegrationsPage
) -> None:
    spec = WebhookSpec("http://127.0.0.1:9/settings")
    await office.write(SettingsWebhook(spec, "a secret", "another one"))
    shown = page.endpoints
    await listed(shown, spec.url)
    detail = shown.detail
    assert detail.origin.isVisible()
    changing = (detail.edit_button, detail.switch_button, detail.secret_button)
    assert not any(button.isVisible() for button in (*changing, detail.remove_button))
    assert shown.edit() is None
    assert detail.test_button.isEnabled()


async def test_what_the_station_has_disabled_says_why(
    office: Office, page: IntegrationsPage
) -> None:
    webhook_id = await add(office)
    await office.write(DisableWebhook(webhook_id, "The receiver answered 410."))
    detail = page.endpoints.detail
    await until(detail.trouble.isVisible)
    assert detail.trouble.text() == "The receiver answered 410."
    assert not detail.test_button.isEnabled()
    tap(detail.switch_button)
    await until(lambda: not detail.trouble.isVisible())


async def test_deliveries_are_filtered_by_chips_that_carry_their_counts(
    office: Office, page: IntegrationsPage
) -> None:
    async with receiver() as good, receiver(lambda _: 500) as bad:
        first = await add(office, good.url, WebhookEvent.CREATED, WebhookEvent.COMPLETED)
        second = await add(office, bad.url)
        job_id = await delay(office.door)
        await office.door.execute(TestWebhook(second))
        page.parts.tabs.choose("deliveries")
        shown = page.deliveries
        await until(lambda: sorted(states(shown)) == [DEAD, DELIVERED, DELIVERED, PENDING])
        counts = {state: chip.accessibleName() for state, chip in shown.states.items()}
        assert counts == {PENDING: "Waiting 1", DELIVERED: "Delivered 2", DEAD: "Dead 1"}
        tap(shown.states[DEAD])
        await until(lambda: states(shown) == [DEAD])
        tap(shown.states[DEAD])
        shown.choose_endpoint(first)
        await until(lambda: states(shown) == [DELIVERED, DELIVERED])
        assert shown.endpoint.text().startswith("Endpoint: 127.0.0.1:")
        page.search("created")
        await until(lambda: states(shown) == [DELIVERED])
        await until(lambda: '"job:created"' in shown.detail.body_text.text())
        assert "X-Signature: " in shown.detail.exchange.text()
        tap(shown.detail.job_button)
        assert office.went.to == [("job", job_id)]
        page.search("nothing like it")
        await until(shown.nothing_found.isVisible)


async def test_one_those_ticked_or_all_of_a_filter_are_replayed_with_their_number(
    office: Office, page: IntegrationsPage
) -> None:
    async with receiver() as hook:
        await add(office, hook.url)
        for _ in range(3):
            await delay(office.door)
        page.parts.tabs.choose("deliveries")
        shown = page.deliveries
        await until(lambda: states(shown) == [DELIVERED] * 3)
        assert not shown.replay_filtered.isEnabled()
        tap(shown.detail.replay_button)
        await until(lambda: len(hook.received) == 4)
        shown.rows.check([row.id for row in shown.rows.rows[:2]])
        assert shown.replay_selected.text() == "Replay selected (2)"
        tap(shown.replay_selected)
        await until(lambda: len(hook.received) == 6)
        await until(lambda: states(shown) == [DELIVERED] * 3)
        tap(shown.states[DELIVERED])
        button, words = shown.replay_filtered, "Replay all of this filter (3): hold"
        await until(lambda: button.isEnabled() and button.text() == words)
        QTest.mousePress(shown.replay_filtered, Qt.MouseButton.LeftButton)
        await until(lambda: len(hook.received) == 9)
        again = ["1 delivery", "2 deliveries", "3 deliveries"]
        await until(lambda: office.said.done == [f"{count}: sent again" for count in again])


async def test_what_was_sent_to_a_removed_endpoint_stays_listed(
    office: Office, page: IntegrationsPage
) -> None:
    async with receiver() as hook:
        webhook_id = await add(office, hook.url)
        await office.door.execute(TestWebhook(webhook_id))
        await office.door.execute(DeleteWebhook(webhook_id))
        page.parts.tabs.choose("deliveries")
        shown = page.deliveries
        await until(lambda: states(shown) == [DELIVERED])
        tap(shown.detail.replay_button)
        await until(lambda: office.said.failed)
        assert "its endpoint is disabled or deleted" in office.said.failed[0]


async def test_dead_deliveries_are_told_on_needs_attention_and_lead_to_their_list(
    office: Office, page: IntegrationsPage
) -> None:
    async with receiver(lambda _: 410) as gone:
        await add(office, gone.url)
        await office.door.execute(TestWebhook(1))  # a test that fails needs nobody
        async with opened(office, AttentionPage(office.context)) as attention:
            told = attention.dead_deliveries
            await until(attention.empty.isVisible)
            assert not told.isVisible()
            await add(office, gone.url)
            await delay(office.door)
            await until(told.isVisible)
            assert told.words.text() == "1 delivery to another program could not be made"
            tap(told.show_button)
            assert office.went.to == [("dead deliveries", None)]
            page.show_dead()
            await until(lambda: states(page.deliveries) == [DEAD, DEAD])


async def test_no_button_of_an_endpoint_is_cut_at_the_smallest_size(
    office: Office, page: IntegrationsPage, qapp: QApplication
) -> None:
    """In the look with the widest words and the one with the widest buttons."""
    await add(office)
    shown = page.endpoints
    await listed(shown, "http://127.0.0.1:9/hook")
    await until(shown.detail.remove_button.isVisible)
    try:
        for look in ((ThemeName.HIGH_CONTRAST, Density.DENSE), (ThemeName.LIGHT, Density.TOUCH)):
            apply_theme(qapp, *look)
            page.resize(page.minimumSizeHint())
            await until(
                lambda: (
                    [
                        button.text()
                        for button in shown.detail.findChildren(QPushButton)
                        if button.isVisible() and button.width() < button.sizeHint().width()
                    ]
                    == []
                )
            )
    finally:
        apply_theme(qapp, ThemeName.LIGHT, Density.DENSE)
