"""Every provider django-anymail speaks to: one row each, proven by the contract tests."""

from typing import Final

from newsletter.transports.providers.capabilities import Capability, Field, Provider, checks_of

_KEY: Final = Field("api_key", "API key")
_MEGABYTE: Final = 1024 * 1024


def _address(required: bool, help_text: str) -> Field:
    return Field("api_url", "Address of the API", help_text, secret=False, required=required)


def _optional(name: str, label: str, help_text: str) -> Field:
    return Field(name, label, help_text, secret=False, required=False)


PROVIDERS: Final[dict[str, Provider]] = {
    "amazon_ses": Provider(
        label="Amazon SES",
        fields=(
            Field("access_key_id", "Access key id", secret=False),
            Field("secret_access_key", "Secret access key"),
            Field("region", "Region", "for example eu-central-1", secret=False),
            _optional("configuration_set", "Configuration set", "without open or click tracking"),
        ),
        own_message_id=False,
        tracking_words="Use a configuration set without open and click events: SES has no "
        "switch for one mail.",
        why_single="Batches need a template stored at Amazon; own bodies cannot be had.",
        notes=("SES also replaces the Date field.",),
    ),
    "brevo": Provider(
        label="Brevo",
        fields=(_KEY,),
        own_message_id=False,
        tracking_words="Switch off open and click tracking in the account: Brevo has no switch "
        "for one mail.",
        idempotency="30 minutes",
        why_single="One call in which a part is refused does not say which part; one mail per "
        "call can be repeated safely.",
    ),
    "mailersend": Provider(
        label="MailerSend",
        fields=(Field("api_token", "API token"),),
        unsubscribe="plan",
        unsubscribe_words="Own header fields, and with them one-click unsubscribe, need a plan "
        "with custom headers (Enterprise).",
        switches_tracking=True,
        reference="tag",
        why_single="Bulk calls are answered before anything is decided, without a word about "
        "any recipient.",
    ),
    "mailgun": Provider(
        label="Mailgun",
        fields=(
            _KEY,
            _optional("sender_domain", "Sending domain", "empty: the domain of the From address"),
            _address(False, "empty: https://api.mailgun.net/v3; EU: https://api.eu.mailgun.net/v3"),
        ),
        switches_tracking=True,
        why_single="A batch has one body with placeholders and one Message-ID for all; content "
        "would go through the provider's template engine.",
    ),
    "mailjet": Provider(
        label="Mailjet",
        fields=(Field("api_key", "API key", secret=False), Field("secret_key", "Secret key")),
        batch=50,
        batch_bytes=15 * _MEGABYTE,
        unsubscribe="yes",
        switches_tracking=True,
    ),
    "mailtrap": Provider(
        label="Mailtrap",
        fields=(
            Field("api_token", "API token"),
            _optional("sandbox_id", "Sandbox id", "only to try: nothing leaves a sandbox"),
        ),
        batch=500,
        batch_bytes=45 * _MEGABYTE,
        unsubscribe="yes",
        tracking_words="Switch off open and click tracking for the sending domain: Mailtrap has "
        "no switch for one mail.",
    ),
    "mandrill": Provider(
        label="Mandrill (Mailchimp Transactional)",
        fields=(_KEY,),
        switches_tracking=True,
        why_single="Header fields are the same for everybody in a batch.",
    ),
    "postal": Provider(
        label="Postal",
        fields=(_KEY, _address(True, "your server, for example https://postal.example.com")),
        switches_tracking=True,
        tracking_header=("X-AMP", "skip"),
        reference="tag",
        why_single="There are no batches with own header fields.",
    ),
    "postmark": Provider(
        label="Postmark",
        fields=(
            Field("server_token", "Server token"),
            _optional("message_stream", "Message stream", "a broadcast stream for campaigns"),
        ),
        batch=500,
        batch_bytes=45 * _MEGABYTE,
        unsubscribe="yes",
        switches_tracking=True,
        notes=(
            "Set the stream's unsubscribe handling to Custom or None, or Postmark puts its own "
            "link in place of ours.",
            "Switch off open tracking of the server: it outweighs the switch in each call.",
        ),
    ),
    "resend": Provider(
        label="Resend",
        fields=(_KEY,),
        own_message_id=False,  # it sends through Amazon SES
        batch=100,
        batch_bytes=35 * _MEGABYTE,
        unsubscribe="yes",
        tracking_words="Switch off open and click tracking for the domain: Resend has no switch "
        "for one mail.",
        idempotency="24 hours",
    ),
    "scaleway": Provider(
        label="Scaleway Transactional Email",
        fields=(
            Field("secret_key", "Secret key"),
            Field("project_id", "Project id", secret=False),
            _optional("region", "Region", "empty: fr-par"),
        ),
        tracking_words="See to it that the account tracks neither opens nor clicks: Scaleway has "
        "no switch for one mail.",
        why_single="There are no batches.",
        notes=("What happens to a mail later is not told: django-anymail reads no events of it.",),
    ),
    "sendgrid": Provider(
        label="SendGrid",
        fields=(_KEY,),
        switches_tracking=True,
        why_single="All of a batch share one body, with placeholders.",
        notes=("django-anymail no longer tests against SendGrid.",),
    ),
    "sparkpost": Provider(
        label="SparkPost",
        fields=(
            _KEY,
            _optional("subaccount", "Subaccount", "its number, where there is one"),
            _address(False, "EU: https://api.eu.sparkpost.com/api/v1"),
        ),
        unsubscribe="no",
        unsubscribe_words="Own one-click unsubscribe cannot be had: SparkPost puts a header of "
        "its own in place of ours. Better for letters and notices than for campaigns.",
        switches_tracking=True,
        why_single="A partial refusal does not say who was refused.",
    ),
    "unisender_go": Provider(
        label="Unisender Go",
        fields=(
            _KEY,
            _address(True, "by data centre: https://go1.unisender.ru/en/transactional/api/v1"),
        ),
        switches_tracking=True,
        why_single="All of a batch share one body, with placeholders.",
        notes=(
            "It adds an unsubscribe block of its own to every mail, until its support switches "
            "that off for the account.",
        ),
    ),
}


def checklist(name: str) -> list[Capability]:
    """Return what a person must know before mail leaves by this provider, worst first.

    Raises ValueError for a provider nobody knows.
    """
    if name not in PROVIDERS:
        raise ValueError("no such provider")
    return checks_of(PROVIDERS[name])
