"""How the providers with exact batches read a call, of one message or many, and answer it."""

import json
from collections.abc import Collection
from typing import Any

from tests.newsletter.transports.providers.recording import Call, Reply
from tests.newsletter.transports.providers.seen import Seen, lower, pair, token

Seens = list[Seen]


def read_mailjet(call: Call) -> Seens:
    assert call.path == "/send" and call.headers["Authorization"].startswith("Basic ")
    data = call.data
    common = data.get("Globals", {})
    assert len(data["Messages"]) <= 50
    return [_mailjet({**common, **message}) for message in data["Messages"]]


def _mailjet(data: dict[str, Any]) -> Seen:
    assert "TemplateLanguage" not in data and "Variables" not in data
    [to] = data["To"]
    is_off = (data["TrackOpens"], data["TrackClicks"]) == ("disabled", "disabled")
    return Seen(
        to["Email"], data["From"]["Email"], data["From"]["Name"], data["Subject"],
        data["ReplyTo"]["Email"], lower(data["Headers"]), data["TextPart"], data["HTMLPart"],
        token(json.loads(data["EventPayload"])), "off" if is_off else "on", data,
    )  # fmt: skip


def read_mailtrap(call: Call) -> Seens:
    assert call.headers["Api-Token"] == "key-for-tests"
    if call.path == "/send":
        return [_mailtrap(call.data)]
    assert call.path == "/batch" and len(call.data["requests"]) <= 500
    return [_mailtrap(message) for message in call.data["requests"]]


def _mailtrap(data: dict[str, Any]) -> Seen:
    [to] = data["to"]
    sender = data["from"]
    return Seen(
        to["email"], sender["email"], sender["name"], data["subject"], data["reply_to"]["email"],
        lower(data["headers"]), data["text"], data["html"], token(data["custom_variables"]),
        "silent", data,
    )  # fmt: skip


def read_postmark(call: Call) -> Seens:
    assert call.headers["X-Postmark-Server-Token"] == "key-for-tests"
    if call.path == "/email":
        return [_postmark(call.data)]
    assert call.path == "/email/batch" and len(call.data) <= 500
    return [_postmark(message) for message in call.data]


def _postmark(data: dict[str, Any]) -> Seen:
    assert "TemplateModel" not in data
    sender, name = pair(data["From"])
    headers = {header["Name"]: header["Value"] for header in data["Headers"]}
    assert len(headers) == len(data["Headers"]), "a field stands twice"
    is_off = data["TrackOpens"] is False and data["TrackLinks"] == "None"
    return Seen(
        data["To"], sender, name, data["Subject"], data["ReplyTo"], lower(headers),
        data["TextBody"], data["HtmlBody"], token(data["Metadata"]), "off" if is_off else "on",
        data,
    )  # fmt: skip


def read_resend(call: Call) -> Seens:
    assert call.headers["Authorization"] == "Bearer key-for-tests"
    assert 0 < len(call.headers["Idempotency-Key"]) <= 256
    if call.path == "/emails":
        return [_resend(call.data)]
    assert call.path == "/emails/batch" and len(call.data) <= 100
    return [_resend(message) for message in call.data]


def _resend(data: dict[str, Any]) -> Seen:
    [to] = data["to"]
    [reply_to] = data["reply_to"]
    sender, name = pair(data["from"])
    return Seen(
        to, sender, name, data["subject"], reply_to, lower(data["headers"]), data["text"],
        data["html"], token(json.loads(data["headers"]["X-Metadata"])), "silent", data,
    )  # fmt: skip


def accept(name: str, call: Call, seens: Seens, refused: Collection[str]) -> Reply:
    """Answer a call that was understood, message by message."""
    return _ACCEPTED[name](call, seens, refused)


def _accept_mailjet(call: Call, seens: Seens, refused: Collection[str]) -> Reply:
    bad = {
        "Status": "error",
        "Errors": [
            {
                "ErrorIdentifier": "0-1", "ErrorCode": "mj-0013", "StatusCode": 400,
                "ErrorMessage": "is an invalid email address.", "ErrorRelatedTo": ["To[0].Email"],
            }
        ],
    }  # fmt: skip
    answers = [
        bad
        if seen.to in refused
        else {"Status": "success", "To": [{"Email": seen.to, "MessageID": 7, "MessageUUID": "u"}]}
        for seen in seens
    ]
    return Reply(400 if bad in answers else 200, {"Messages": answers})


def _accept_mailtrap(call: Call, seens: Seens, refused: Collection[str]) -> Reply:
    answers: list[dict[str, Any]] = [
        {"success": False, "errors": ["'to' address is suppressed"]}
        if seen.to in refused
        else {"success": True, "message_ids": ["m-1"]}
        for seen in seens
    ]
    if call.path == "/batch":
        return Reply(200, {"success": True, "responses": answers})
    return Reply(200 if answers[0]["success"] else 400, answers[0])


def _accept_postmark(call: Call, seens: Seens, refused: Collection[str]) -> Reply:
    answers = [
        {
            "ErrorCode": 406,
            "Message": "You tried to send to a recipient that has been marked as inactive. Found "
            f"inactive addresses: {seen.to}. Inactive recipients are ones that have bounced.",
        }
        if seen.to in refused
        else {"ErrorCode": 0, "Message": "OK", "MessageID": "m-1", "To": seen.to}
        for seen in seens
    ]
    if call.path == "/email/batch":
        return Reply(200, answers)
    return Reply(200 if answers[0]["ErrorCode"] == 0 else 422, answers[0])


def _accept_resend(call: Call, seens: Seens, refused: Collection[str]) -> Reply:
    if call.path == "/emails/batch":
        return Reply(200, {"data": [{"id": f"m-{number}"} for number in range(len(seens))]})
    return Reply(200, {"id": "m-1"})


_ACCEPTED = {
    "mailjet": _accept_mailjet,
    "mailtrap": _accept_mailtrap,
    "postmark": _accept_postmark,
    "resend": _accept_resend,
}
