"""A sender's credentials are checked, kept out of sight, and lead to a checklist.

Mirrors several: newsletter/transports/providers/settings.py,
newsletter/senders/provider_catalogue.py.
"""

import subprocess
import sys

import pytest

from newsletter.senders import provider_catalogue
from newsletter.transports import Unavailable
from newsletter.transports.providers import (
    PROVIDERS,
    ProviderSettings,
    ProviderTransport,
    checklist,
    provider_settings,
)
from tests.newsletter.transports.providers.contracts import NAMES, SECRET, mail, settings_at, wire
from tests.newsletter.transports.providers.recording import Reply, recording

ALL = pytest.mark.parametrize("name", NAMES)


def typed(name: str) -> dict[str, object]:
    """Return credentials as a person would type them in, no optional one among them."""
    credentials: dict[str, object] = {
        field.name: f" {SECRET} " for field in PROVIDERS[name].fields if field.required
    }
    return credentials | (
        {"api_url": "https://api.example.org/v1"} if "api_url" in credentials else {}
    )


@ALL
def test_every_required_field_is_missed_by_its_name(name: str) -> None:
    """The form shows the words beside the field."""
    for field in PROVIDERS[name].fields:
        if field.required:
            given = typed(name) | {field.name: " "}
            with pytest.raises(ValueError, match=rf"{field.label} \({field.name}\) is missing"):
                provider_settings(name, given)


@ALL
def test_credentials_are_kept_without_blanks_and_never_shown(name: str) -> None:
    """A log line with the settings in it gives nothing away."""
    made = provider_settings(name, typed(name))
    assert SECRET in made.credentials.values() and SECRET not in repr(made)
    assert made.connect == 5 and made.read == 60
    assert "api_url" not in made.credentials


@ALL
def test_what_a_provider_does_not_know_is_refused(name: str) -> None:
    """A typing mistake in a stored object does not pass for a credential."""
    with pytest.raises(ValueError, match="has no api_kye"):
        provider_settings(name, typed(name) | {"api_kye": "x"})


@pytest.mark.parametrize(
    "url",
    ["http://api.example.org/", "ftp://api.example.org/", "https://", "api.example.org",
     "https://me:you@api.example.org/", "https://api.example.org/?x=1", "http://10.0.0.1/",
     "https://[api/"],
)  # fmt: skip
def test_an_address_that_would_send_a_key_in_clear_is_refused(url: str) -> None:
    """S: a key goes over TLS, except to this machine."""
    with pytest.raises(ValueError, match="api_url"):
        provider_settings("postal", {"api_key": SECRET, "api_url": url})
    with pytest.raises(ValueError, match="api_url"):
        ProviderSettings(provider="postal", credentials={"api_key": SECRET}, api_url=url)


@pytest.mark.parametrize("value", ["line\nbreak", "ключ", "x" * 2001])
def test_what_no_credential_has_is_refused_without_repeating_it(value: str) -> None:
    """Requests would put it into a header."""
    with pytest.raises(ValueError, match="api_key has characters") as refusal:
        provider_settings("brevo", {"api_key": value})
    assert value not in str(refusal.value)


def test_a_provider_nobody_knows_is_refused() -> None:
    """The name comes from a stored row."""
    for call in (checklist, lambda name: provider_settings(name, {})):
        with pytest.raises(ValueError, match="no such provider"):
            call("pigeon")


@ALL
def test_the_checklist_says_what_a_person_must_know(name: str) -> None:
    """A-2, A-19: at set-up, not at send."""
    capabilities = checklist(name)
    assert len(capabilities) >= 3 and all(
        capability.words.endswith(".") for capability in capabilities
    )
    assert [capability.passed for capability in capabilities] == sorted(
        capability.passed for capability in capabilities
    )
    by_words = {capability.words: capability for capability in capabilities}
    provider = PROVIDERS[name]
    if provider.tracking_words:
        assert not by_words[provider.tracking_words].passed
    assert bool(provider.tracking_words) != provider.switches_tracking
    if name in ("sparkpost", "mailersend"):
        assert not by_words[provider.unsubscribe_words].passed
    assert provider_catalogue.PROVIDERS is PROVIDERS


@ALL
def test_batches_are_used_or_it_is_said_why_not(name: str) -> None:
    """A-1: an allow-list with reasons."""
    provider = PROVIDERS[name]
    assert (provider.batch > 1) == (not provider.why_single)
    assert (provider.batch > 1) == (provider.batch_bytes > 0) == (provider.unsubscribe == "yes")


NO = [
    ("mandrill", Reply(500, {"status": "error", "name": "Invalid_Key", "message": "no"}), 401),
    ("mandrill", Reply(500, {"status": "error", "name": "PaymentRequired", "message": "no"}), 402),
    ("postal", Reply(200, {"status": "error", "data": {"code": "ServerSuspended"}}), 403),
    ("postmark", Reply(422, {"ErrorCode": 405, "Message": "out of credits"}), 402),
    ("postmark", Reply(422, {"ErrorCode": 400, "Message": "no sender signature"}), 403),
    ("mailgun", Reply(404, {"message": "Domain not found: client.example"}), 404),
    ("mailgun", Reply(200, "Mailgun Magnificent API"), 404),
    ("mailjet", Reply(401, {"ErrorCode": "mj-1", "ErrorMessage": "no", "StatusCode": 401}), 401),
    ("brevo", Reply(402, {"code": "not_enough_credits", "message": "no"}), 402),
    ("amazon_ses", Reply(400, {}, {"x-amzn-ErrorType": "SendingPausedException"}), 403),
    ("amazon_ses", Reply(400, {}, {"x-amzn-ErrorType": "AccountSuspendedException"}), 403),
]


@pytest.mark.parametrize(("name", "reply", "code"), NO)
def test_trouble_of_the_account_stops_the_sender_however_it_is_said(
    name: str, reply: Reply, code: int
) -> None:
    """A-8: some say it with a 200, a 400 or a 500."""
    outcomes = []
    with (
        recording(lambda call: reply) as api,
        wire(name, api) as transport,
        pytest.raises(Unavailable) as away,
    ):
        for outcome in transport.send([mail(1)]):
            outcomes.append(outcome)
    assert [outcome.state for outcome in outcomes] == ["unsent"]
    assert away.value.configuration and away.value.code == code


REST = [
    ("sparkpost", Reply(420, {"errors": [{"message": "Exceed Sending Limit (hourly)"}]})),
    ("amazon_ses", Reply(400, {}, {"x-amzn-ErrorType": "ThrottlingException"})),
    ("amazon_ses", Reply(400, {}, {"x-amzn-ErrorType": "LimitExceededException"})),
]


@pytest.mark.parametrize(("name", "reply"), REST)
def test_a_limit_rests_the_sender_however_it_is_said(name: str, reply: Reply) -> None:
    """A-8: no wait is named, so it is a minute."""
    outcomes = []
    with (
        recording(lambda call: reply) as api,
        wire(name, api) as transport,
        pytest.raises(Unavailable) as away,
    ):
        for outcome in transport.send([mail(1)]):
            outcomes.append(outcome)
    assert [outcome.state for outcome in outcomes] == ["unsent"]
    assert not away.value.configuration and away.value.retry_after == 60


def test_an_address_refused_for_now_by_unisender_go_is_tried_again() -> None:
    """B-9: temporary is not permanent."""
    body = {
        "status": "success",
        "emails": [],
        "failed_emails": {"r1@example.org": "temporary_unavailable"},
    }
    with recording(lambda call: Reply(200, body)) as api, wire("unisender_go", api) as transport:
        [outcome] = transport.send([mail(1)])
    assert outcome.state == "deferred"


def test_a_sender_without_a_usable_address_is_said_before_any_message_is_pulled() -> None:
    """The wire's contract: nothing was pulled, nothing has to be answered."""
    made = settings_at("amazon_ses", "http://127.0.0.1:1")
    broken = ProviderSettings(
        provider="amazon_ses", credentials={**made.credentials, "region": "nowhere at all"}
    )
    with pytest.raises(Unavailable) as away:
        ProviderTransport(broken).send(iter([mail(1)]))
    assert away.value.configuration


def test_who_sends_by_no_provider_does_not_load_their_libraries() -> None:
    """30 MB in each process of an installation with a mail server of its own."""
    script = (
        "import sys, newsletter.transports, newsletter.senders.provider_catalogue;"
        "print([each for each in ('anymail', 'botocore', 'requests') if each in sys.modules])"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert process.stdout.strip() == "[]"
