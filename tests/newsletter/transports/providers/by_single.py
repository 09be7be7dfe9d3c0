"""How the providers without batches read a call and answer it."""

import json
from base64 import b64decode
from email import message_from_bytes, policy
from typing import Any

from tests.newsletter.transports.providers.recording import Call, Reply
from tests.newsletter.transports.providers.seen import Seen, filled, lower, pair, token

Seens = list[Seen]


def read_amazon_ses(call: Call) -> Seens:
    assert call.path == "/v2/email/outbound-emails"
    data = call.data
    raw = b64decode(data["Content"]["Raw"]["Data"])
    mime = message_from_bytes(raw, policy=policy.SMTP)
    [to] = data["Destination"]["ToAddresses"]
    fields = {name: " ".join(str(value).split()) for name, value in mime.items()}
    assert len(fields) == len(mime.items()), "a field stands twice"
    bodies = [mime.get_body((kind,)) for kind in ("plain", "html")]
    text, html = (str(body.get_content()).replace("\r\n", "\n") for body in bodies if body)
    sender, name = pair(fields["From"])
    return [
        Seen(
            to=to,
            sender=sender,
            sender_name=name,
            subject=fields["Subject"],
            reply_to=fields["Reply-To"],
            headers=lower(fields),
            text=text,
            html=html,
            reference=token(json.loads(fields["X-Metadata"])),
            tracking="silent",
            whole=raw.decode(),
        )
    ]


def _named(mailbox: dict[str, str]) -> tuple[str, str]:
    return mailbox["email"], mailbox.get("name", "")


def read_brevo(call: Call) -> Seens:
    assert call.path == "/smtp/email" and call.headers["api-key"] == "key-for-tests"
    data = call.data
    [to] = data["to"]
    sender, name = _named(data["sender"])
    headers = lower(data["headers"])
    assert all(value.isascii() for value in headers.values())
    return [
        Seen(
            to["email"], sender, name, data["subject"], data["replyTo"]["email"], headers,
            data["textContent"], data["htmlContent"],
            token(json.loads(headers["x-mailin-custom"])), "silent", data,
        )
    ]  # fmt: skip


def read_mailersend(call: Call) -> Seens:
    assert call.path == "/email" and call.headers["Authorization"] == "Bearer key-for-tests"
    data = call.data
    assert "personalization" not in data and "template_id" not in data
    [to] = data["to"]
    sender, name = _named(data["from"])
    is_off = data["settings"] == {"track_opens": False, "track_clicks": False}
    return [
        Seen(
            to["email"], sender, name, data["subject"], data["reply_to"]["email"],
            lower({header["name"]: header["value"] for header in data["headers"]}),
            data["text"], data["html"], data["tags"][0], "off" if is_off else "on", data,
        )
    ]  # fmt: skip


def read_mailgun(call: Call) -> Seens:
    assert call.path == "/client.example/messages"
    assert call.headers["Authorization"].startswith("Basic ")
    data = {name: values[0] for name, values in call.data.items() if len(values) == 1}
    assert "recipient-variables" not in data and "template" not in data
    sender, name = pair(data["from"])
    headers = {name[2:]: value for name, value in data.items() if name.startswith("h:")}
    is_off = (data["o:tracking-opens"], data["o:tracking-clicks"]) == ("no", "no")
    return [
        Seen(
            data["to"], sender, name, data["subject"], data["h:Reply-To"], lower(headers),
            data["text"], data["html"],
            token({key[2:]: value for key, value in data.items() if key.startswith("v:")}),
            "off" if is_off else "on", data,
        )
    ]  # fmt: skip


def read_mandrill(call: Call) -> Seens:
    assert call.path == "/messages/send.json" and call.data["key"] == "key-for-tests"
    data = call.data["message"]
    assert data["merge"] is False and "merge_vars" not in data
    [to] = data["to"]
    is_off = data["track_opens"] is False and data["track_clicks"] is False
    return [
        Seen(
            to["email"], data["from_email"], data["from_name"], data["subject"],
            data["headers"]["Reply-To"], lower(data["headers"]), data["text"], data["html"],
            token(data["metadata"]), "off" if is_off else "on", data,
        )
    ]  # fmt: skip


def read_postal(call: Call) -> Seens:
    assert call.path == "/api/v1/send/message"
    assert call.headers["X-Server-API-Key"] == "key-for-tests"
    data = call.data
    [to] = data["to"]
    sender, name = pair(data["from"])
    headers = lower(data["headers"])
    return [
        Seen(
            to, sender, name, data["subject"], data["reply_to"], headers, data["plain_body"],
            data["html_body"], data["tag"], "off" if headers["x-amp"] == "skip" else "on", data,
        )
    ]  # fmt: skip


def read_scaleway(call: Call) -> Seens:
    assert call.path == "/emails" and call.headers["X-Auth-Token"] == "key-for-tests"
    data = call.data
    [to] = data["to"]
    sender, name = _named(data["from"])
    assert len({header["key"].lower() for header in data["additional_headers"]}) == len(
        data["additional_headers"]
    )
    headers = lower({header["key"]: header["value"] for header in data["additional_headers"]})
    return [
        Seen(
            to["email"], sender, name, data["subject"], headers["reply-to"], headers, data["text"],
            data["html"], token(json.loads(headers["x-metadata"])), "silent", data,
        )
    ]  # fmt: skip


def read_sendgrid(call: Call) -> Seens:
    assert call.path == "/mail/send" and call.headers["Authorization"] == "Bearer key-for-tests"
    data = call.data
    [person] = data["personalizations"]
    assert "substitutions" not in person and "dynamic_template_data" not in person
    [to] = person["to"]
    [reply_to] = data["reply_to_list"]
    sender, name = _named(data["from"])
    bodies = {body["type"]: body["value"] for body in data["content"]}
    tracking = data["tracking_settings"]
    is_off = not any(switch["enable"] for switch in tracking.values()) and len(tracking) == 3
    return [
        Seen(
            to["email"], sender, name, data["subject"], reply_to["email"], lower(data["headers"]),
            bodies["text/plain"], bodies["text/html"], token(data["custom_args"]),
            "off" if is_off else "on", data,
        )
    ]  # fmt: skip


def read_sparkpost(call: Call) -> Seens:
    assert call.path == "/transmissions/" and call.headers["Authorization"] == "key-for-tests"
    data = call.data
    [to] = data["recipients"]
    values = data.get("substitution_data", {})

    def print_out(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: print_out(item) for name, item in value.items()}
        return filled(value, values)

    content = print_out(data["content"])
    sender, name = pair(content["from"])
    is_off = data["options"] == {"open_tracking": False, "click_tracking": False}
    return [
        Seen(
            to["address"]["email"], sender, name, content["subject"], content["reply_to"],
            lower(content["headers"]), content["text"], content["html"], token(data["metadata"]),
            "off" if is_off else "on", data,
        )
    ]  # fmt: skip


def read_unisender_go(call: Call) -> Seens:
    assert call.path == "/email/send.json" and call.headers["X-API-KEY"] == "key-for-tests"
    data = call.data["message"]
    [to] = data["recipients"]
    to["metadata"].pop("anymail_id")
    assert not to["metadata"] and "global_substitutions" not in data
    headers = lower(data["headers"])
    return [
        Seen(
            to["email"], data["from_email"], data["from_name"], data["subject"], data["reply_to"],
            headers, data["body"]["plaintext"], data["body"]["html"],
            token(data["global_metadata"]),
            "off" if (data["track_read"], data["track_links"]) == (0, 0) else "on", data,
        )
    ]  # fmt: skip


def accept(name: str, seen: Seen, refused: bool) -> Reply:
    """Answer one call that was understood; refused: in the provider's own way of a 200."""
    status, body = _ACCEPTED[name](seen.to, refused)
    headers = {"X-Message-Id": "m-1"} if name == "mailersend" and not refused else {}
    return Reply(status, body, headers)


def _mandrill(to: str, refused: bool) -> Any:
    one = {"email": to, "status": "sent", "_id": "m1", "reject_reason": None}
    if refused:
        one |= {"status": "rejected", "reject_reason": "hard-bounce"}
    return 200, [one]


def _unisender(to: str, refused: bool) -> Any:
    answer = {"status": "success", "job_id": "j-1", "emails": [] if refused else [to]}
    return 200, answer | ({"failed_emails": {to: "permanent_unavailable"}} if refused else {})


def _mailersend(to: str, refused: bool) -> Any:
    why = [{"email": to, "name": "", "reasons": ["hard_bounced"]}]
    body = {"message": "suppressed", "warnings": [{"type": "ALL_SUPPRESSED", "recipients": why}]}
    return 202, body if refused else ""


def _sparkpost(to: str, refused: bool) -> Any:
    counts = {"total_rejected_recipients": int(refused), "total_accepted_recipients": 1 - refused}
    return 200, {"results": {"id": "t-1", **counts}}


_ACCEPTED: dict[str, Any] = {
    "amazon_ses": lambda to, refused: (200, {"MessageId": "m-1"}),
    "brevo": lambda to, refused: (201, {"messageId": "<m-1@brevo>"}),
    "mailersend": _mailersend,
    "mailgun": lambda to, refused: (200, {"id": "<m-1@mg>", "message": "Queued. Thank you."}),
    "mandrill": _mandrill,
    "postal": lambda to, refused: (
        200, {"status": "success", "data": {"messages": {to: {"id": 1, "token": "t"}}}},
    ),
    "scaleway": lambda to, refused: (
        200,
        {"emails": [{"id": "m1", "mail_rcpt": to, "status": "failed" if refused else "new"}]},
    ),
    "sendgrid": lambda to, refused: (202, ""),
    "sparkpost": _sparkpost,
    "unisender_go": _unisender,
}  # fmt: skip
