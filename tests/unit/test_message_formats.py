"""What each format sends, after the receivers' own documentation, whatever the texts contain."""

import email
import email.header
import email.policy
import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnc_station.engine import codec
from cnc_station.engine.domain.alerts import AlertKind, AlertMessage, AlertState, Severity
from cnc_station.engine.domain.errors import InvalidInput
from cnc_station.engine.domain.message_formats.base import Endpoint, HttpMessage, Mail, masked
from cnc_station.engine.domain.message_formats.options import (
    BodyKind,
    FormatOptions,
    MessageFormat,
    Template,
)
from cnc_station.engine.domain.message_formats.present import present, shown_body
from cnc_station.engine.domain.messages import message_of
from cnc_station.engine.domain.text_gate import fault
from cnc_station.engine.domain.webhooks import (
    ALERT_EVENT,
    TEST_EVENT,
    DeliveryContent,
    WebhookEvent,
    WebhookSpec,
)
from cnc_station.engine.smtp_session import message as mail_bytes

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"
FAILED = DeliveryContent(
    *(WebhookEvent.FAILED, 12, "Bracket", 50, "pending", "{}", None, None, 1, "acme", "t"),
    at=1_795_000_000_000,
    machine="Mill 3",
    reason="Spindle overload at line 12",
)
ALERT = AlertMessage(
    alert_id=7,
    kind=AlertKind.MACHINE_WAITING,
    severity=Severity.CRITICAL,
    title="Mill 3: clear it",
    text="Mill 3 has waited 10 min for clearing.",
    machine="Mill 3",
    job_id=None,
    tenant=None,
    raised_at=1_795_000_000_000,
    state=AlertState.REMINDER,
)


def alerting(alert: AlertMessage = ALERT) -> DeliveryContent:
    payload = codec.dump(AlertMessage, alert).decode()
    return replace(
        FAILED,
        event=ALERT_EVENT,
        job_id=None,
        payload=payload,
        machine=alert.machine,
        reason=None,
        tenant="",
    )


def endpoint(kind: str, url: str, secret: str = "", **options: Any) -> Endpoint:
    return Endpoint(1, url, (secret,), MessageFormat(kind), FormatOptions(**options))


def sent(to: Endpoint, content: DeliveryContent = FAILED) -> HttpMessage:
    found = present(to, content, "key-1", 0)
    assert isinstance(found, HttpMessage)
    return found


def body(to: Endpoint, content: DeliveryContent = FAILED) -> Any:
    return json.loads(sent(to, content).body)


SLACK = endpoint("slack", "https://hooks.slack.com/…", "https://hooks.slack.com/services/T0/B0/X")
TEAMS = endpoint("teams", "https://x.logic.azure.com/…", "https://x.logic.azure.com/w/1?sig=abc")
NTFY = endpoint("ntfy", "https://ntfy.sh/shop-a7f3", "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2")
TELEGRAM = endpoint("telegram", "https://api.telegram.org", TOKEN, chat="-100123")
MAIL = endpoint("email", "mailto:anna@shop.example,bob@shop.example")


def test_ntfy_publishes_as_json_to_the_root_of_the_server() -> None:
    """After docs.ntfy.sh/publish, "Publish as JSON" and "Access tokens"."""
    found = sent(NTFY)
    assert (found.method, found.url) == ("POST", "https://ntfy.sh/")
    assert found.headers["Authorization"] == "Bearer tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"
    assert json.loads(found.body) == {
        "topic": "shop-a7f3",
        "title": "Job Bracket (#12) failed on Mill 3",
        "message": "Spindle overload at line 12",
        "priority": 4,
        "tags": ["warning"],
    }
    own = replace(NTFY, options=FormatOptions(tags=("cnc",), priorities={"critical": 3}))
    alert = body(own, alerting())
    assert (alert["priority"], alert["tags"]) == (3, ["rotating_light", "cnc"])
    long = body(NTFY, replace(FAILED, reason="ü" * 3_000))["message"]
    assert len(long.encode()) <= 4_096  # a longer one becomes an attachment
    assert long.endswith("ü…")


def test_slack_gets_text_that_links_and_calls_nobody() -> None:
    """After docs.slack.dev, "Sending messages using incoming webhooks" and "Formatting message
    text": the three characters to escape."""
    found = sent(SLACK, replace(FAILED, reason="a < b & <!channel> <https://x|y>"))
    assert found.url == "https://hooks.slack.com/services/T0/B0/X"
    assert json.loads(found.body) == {
        "text": "*Job Bracket (#12) failed on Mill 3*\n"
        "a &lt; b &amp; &lt;!channel&gt; &lt;https://x|y&gt;"
    }


def test_teams_gets_an_adaptive_card_of_text_runs() -> None:
    """After learn.microsoft.com, "Create incoming webhooks with Workflows", and adaptivecards.io,
    RichTextBlock, whose runs are not Markdown."""
    found = sent(TEAMS, replace(FAILED, reason="[x](https://y)\n**z**"))
    assert found.url == "https://x.logic.azure.com/w/1?sig=abc"
    content = json.loads(found.body)
    (attachment,) = content.pop("attachments")
    assert content == {"type": "message"}
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    runs = [run for block in card["body"] for run in block["inlines"]]
    assert [run["text"] for run in runs] == [
        *("Job Bracket (#12) failed on Mill 3", "[x](https://y)", "**z**")
    ]
    assert runs[0]["color"] == "Warning"


def test_telegram_gets_plain_text_of_at_most_4096_units() -> None:
    """After core.telegram.org/bots/api, sendMessage."""
    found = sent(TELEGRAM)
    assert found.url == f"https://api.telegram.org/bot{TOKEN}/sendMessage"
    assert json.loads(found.body) == {
        "chat_id": "-100123",
        "text": "Job Bracket (#12) failed on Mill 3\nSpindle overload at line 12",
        "link_preview_options": {"is_disabled": True},
        "disable_notification": False,
    }
    long = body(TELEGRAM, replace(FAILED, reason="🛠" * 3_000))["text"]
    assert len(long.encode("utf-16-le")) // 2 <= 4_096
    assert long.endswith("🛠…")
    done = replace(FAILED, event=WebhookEvent.COMPLETED, run_ms=725_000, reason=None)
    quiet = body(TELEGRAM, done)
    assert quiet["disable_notification"] is True
    assert quiet["text"] == "Job Bracket (#12) was completed on Mill 3\nRun time 12:05."


def test_an_alert_says_why_it_is_told_again() -> None:
    text = body(TELEGRAM, alerting())["text"]
    assert text == "Reminder: Mill 3: clear it\nMill 3 has waited 10 min for clearing."
    over = body(TELEGRAM, alerting(replace(ALERT, state=AlertState.WITHDRAWN)))
    assert over["disable_notification"] is True
    webhook = body(endpoint("webhook", "https://erp.example/", "a secret"), alerting())
    assert webhook == {
        "event": "alert",
        "alertId": 7,
        "kind": "machine.waiting",
        "severity": "critical",
        "state": "reminder",
        "title": "Mill 3: clear it",
        "text": "Mill 3 has waited 10 min for clearing.",
        "machine": "Mill 3",
        "jobId": None,
        "tenantId": "",
        "raisedAt": "2026-11-18T11:06:40.000Z",
    }


def test_a_mail_is_the_same_in_every_try_and_answers_nobody() -> None:
    """After RFC 5322 and RFC 3834, Auto-Submitted."""
    mail = present(MAIL, FAILED, "key-1", 0)
    assert isinstance(mail, Mail)
    raw = mail_bytes(mail, "cnc@shop.example")
    assert raw == mail_bytes(mail, "cnc@shop.example")
    parsed = email.message_from_bytes(raw, policy=email.policy.default)
    assert dict(parsed.items()) == {
        "From": "cnc@shop.example",
        "To": "anna@shop.example, bob@shop.example",
        "Subject": "Job Bracket (#12) failed on Mill 3",
        "Date": "Wed, 18 Nov 2026 11:06:40 +0000",
        "Message-ID": "<key-1@shop.example>",
        "Auto-Submitted": "auto-generated",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "7bit",
        "MIME-Version": "1.0",
    }
    assert parsed.get_content().splitlines() == [
        *("Spindle overload at line 12", "", "Machine: Mill 3", "Job: #12", "Customer: acme"),
        "Time: 2026-11-18T11:06:40Z",
    ]


TEXTS = st.text(
    st.one_of(
        st.sampled_from("\"'\\{}\r\n\t<>&%?#/.:=+ \x00\x1b\u2028\u202e\ud800\udc00ü🛠"),
        st.characters(),
    ),
    max_size=60,
)
HTTP = [NTFY, SLACK, TEAMS, TELEGRAM]
BODY = '{"a": ["{title}", {"text": "{text} {{text}} {secret}"}], "b": 1.5, "{title}": null}'
TEMPLATE = endpoint(
    "template",
    "https://gotify.shop/message/{job}/{machine}?title={title}&key={secret}",
    "s3cret-token",
    template=Template(headers={"X-Title": "{title}", "X-Key": "{secret}"}, body=BODY),
)


@given(name=TEXTS, reason=TEXTS, machine=TEXTS, tenant=TEXTS)
def test_no_text_breaks_out_of_its_place(name: str, reason: str, machine: str, tenant: str) -> None:
    content = replace(FAILED, name=name, reason=reason, machine=machine, tenant=tenant)
    told = message_of(content)
    assert fault(told.title) is None
    assert fault(told.text, lines=True) is None
    for to in HTTP:
        json.loads(sent(to, content).body.decode())
    slack = body(SLACK, content)["text"]
    assert not re.search(r"[<>]|&(?!amp;|lt;|gt;)", slack)
    _check_template(content, told.title, told.text)
    mail = present(MAIL, content, "key-1", 0)
    assert isinstance(mail, Mail)
    parsed = email.message_from_bytes(
        mail_bytes(mail, "cnc@s.example"), policy=email.policy.default
    )
    assert parsed.keys().count("Subject") == 1
    assert len(parsed.keys()) == 9
    assert not parsed.defects


def _check_template(content: DeliveryContent, title: str, text: str) -> None:
    found = sent(TEMPLATE, content)
    assert json.loads(found.body) == {
        "a": [title, {"text": f"{text} {{text}} s3cret-token"}],
        "b": 1.5,
        "{title}": None,
    }
    parts = urlsplit(found.url)
    assert (parts.netloc, parts.fragment) == ("gotify.shop", "")
    segments = parts.path.split("/")
    assert len(segments) == 4
    assert segments[3] not in {".", ".."}
    query = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
    assert query == {"title": [title], "key": ["s3cret-token"]}
    header = found.headers["X-Title"]
    assert header.isascii()
    assert "\n" not in header
    assert "\r" not in header
    (decoded, charset) = email.header.decode_header(header)[0]
    words = decoded.decode(charset or "ascii") if isinstance(decoded, bytes) else decoded
    assert words.split() == title.split()


@given(title=TEXTS)
def test_forms_and_texts_carry_every_value(title: str) -> None:
    content = replace(FAILED, name=title)
    wanted = message_of(content).title
    form = Template(kind=BodyKind.FORM, body="message={title}&priority=5")
    found = sent(replace(TEMPLATE, options=FormatOptions(template=form)), content)
    assert found.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(found.body.decode()) == {"message": [wanted], "priority": ["5"]}
    text = Template(kind=BodyKind.TEXT, body="<{title}>")
    found = sent(replace(TEMPLATE, options=FormatOptions(template=text)), content)
    assert found.body.decode() == f"<{wanted}>"


def test_a_machine_named_by_dots_leads_to_no_other_path() -> None:
    for name in (".", "..", "%2e%2e", "a/../b"):
        url = sent(TEMPLATE, replace(FAILED, machine=name)).url
        path = unquote(urlsplit(url).path)
        assert path.startswith("/message/#12/")
        assert ".." not in urlsplit(url).path.split("/")


@pytest.mark.parametrize("to", [*HTTP, TEMPLATE, MAIL], ids=lambda to: to.format.value)
def test_nothing_that_is_shown_contains_a_secret(to: Endpoint) -> None:
    shown = shown_body(to, FAILED, "key-1")
    assert "Spindle overload" in shown
    if not to.secret:
        return
    assert to.secret not in shown
    assert ("•••" in shown) is (to is TEMPLATE)
    found = present(to, FAILED, "key-1", 0)
    assert isinstance(found, HttpMessage)
    logged = masked(f"{found.url} {found.headers} {found.body.decode()}", to.secrets)
    assert to.secret not in logged
    path = "/services/T0/B0/X" if to is SLACK else "sig=abc"
    assert path not in logged


def test_a_test_says_what_it_is() -> None:
    text = body(TELEGRAM, replace(FAILED, event=TEST_EVENT, job_id=None))["text"]
    assert text == "Test of CNC Station\nMessages of CNC Station arrive here."


def spec(kind: str, url: str, events: tuple[str, ...] = (), **options: Any) -> WebhookSpec:
    return WebhookSpec(url, events, format=MessageFormat(kind), options=FormatOptions(**options))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (spec("ntfy", "https://ntfy.sh/"), "must end with a topic"),
        (spec("ntfy", "https://ntfy.sh/a?x=1"), "must end with a topic"),
        (spec("ntfy", "https://ntfy.sh/a", priorities={"high": 5}), "'high' is not one of"),
        (spec("ntfy", "https://ntfy.sh/a", priorities={"info": 9}), "from 1 to 5"),
        (spec("ntfy", "https://ntfy.sh/a", chat="1"), "belongs to the format telegram"),
        (spec("telegram", "https://api.telegram.org"), "number of a chat"),
        (spec("slack", "https://hooks.slack.com/…"), "the complete address"),
        (spec("email", "anna@shop.example"), "mailto:"),
        (spec("email", "mailto:anna@shop.example,,b@c"), "'' is not an e-mail address"),
        (spec("email", "mailto:a@b.example%0aBcc:c@d"), "is not an e-mail address"),
        (spec("email", "mailto:<a@b.example>"), "is not an e-mail address"),
        (spec("template", "https://x.example/"), "template: is missing"),
        (spec("template", "https://x.example/{titel}", template=Template()), "{titel}"),
        (spec("template", "https://{machine}.example/", template=Template()), "name of the server"),
        (spec("template", "https://x.example/", template=Template(body="{title}")), "not JSON"),
        (spec("template", "https://x.example/", template=Template(body='"{nope}"')), "{nope}"),
        (
            spec("template", "https://x.example/", template=Template(headers={"X-Key": "abc"})),
            "must use {secret}",
        ),
        (
            spec("template", "https://x/", template=Template(headers={"Host": "{title}"})),
            "is set by CNC Station",
        ),
        (
            spec("template", "https://x.example/", template=Template(headers={"A": "b\r\nC: d"})),
            "one line of ASCII",
        ),
        (
            spec("template", "https://x.example/", template=Template(headers={"A b": "c"})),
            "not the name of a header",
        ),
        (spec("template", "https://x/", template=Template("GET", body='"a"')), "empty for GET"),
    ],
)
def test_what_could_not_be_sent_is_refused_when_it_is_saved(wrong: WebhookSpec, words: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        wrong.validated()
    assert words in str(refused.value)


def test_a_payload_of_an_earlier_version_that_is_nested_too_deep_is_sent_cut() -> None:
    deep = replace(FAILED, payload='{"a":' + "[" * 500 + "]" * 500 + "}")
    assert "…".encode() in deep.body()
