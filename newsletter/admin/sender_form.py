"""The form of a sender: secrets are written and never shown, and go nowhere they were not meant."""

import json
import re
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from newsletter.content import header_fields
from newsletter.models import PaceRule, Receiver, Sender
from newsletter.senders import failover, routing
from newsletter.senders.provider_catalogue import PROVIDERS, Field
from registrants import domains
from registrants.models.client import as_in_dns

Transport = Sender.Transport
WHERE_THE_PASSWORD_GOES = ("transport", "host", "port", "security", "username")
WHERE_CREDENTIALS_GO = "api_url"
TYPE_AGAIN = (
    "The server has changed: type the {} again, so that the one kept does not go somewhere it was"
    " not meant for."
)
STAYS_WHERE_EMPTY = "never shown again; left empty, the one kept so far stays"


def sentence(fault: str) -> str:
    """Return a fault as a sentence of its own."""
    return f"{fault[0].upper()}{fault[1:]}."


def named(provider: str, field: str) -> str:
    """Return the form's name of one credential."""
    return f"{provider}__{field}"


Cleaned = dict[str, Any]
"""The values of a form's fields, each of its field's own type."""


class SenderForm(forms.ModelForm):
    """A sender with its server, its pace, and who stands in for it."""

    new_password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text=STAYS_WHERE_EMPTY,
    )

    class Meta:
        model = Sender
        fields = [
            "client", "name", "is_default", "from_name", "from_address", "reply_to", "transport",
            "host", "port", "security", "username", "connections", "bounce_domain", "provider",
            "fallback", "per_second", "warm_up_on", "warm_up_first", "warm_up_growth",
            "warm_up_until", "quiet_from", "quiet_until",
        ]  # fmt: skip
        labels = {
            "fallback": "Stands in",
            "per_second": "Mails a second",
            "warm_up_on": "Begins on",
            "warm_up_first": "Mails on the first day",
            "warm_up_growth": "Growth",
            "warm_up_until": "Ends at",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._kept: dict[str, str] = json.loads(self.instance.credentials or "{}")
        self._was: str = self.instance.provider
        for name, value in self._kept.items():
            field = self.fields.get(named(self._was, name))
            if field is not None and not isinstance(field.widget, forms.PasswordInput):
                field.initial = value
        fallback: Any = self.fields.get("fallback")
        if fallback is not None:
            fallback.label_from_instance = _by_name
        if fallback is not None and self.instance.pk:
            others = fallback.queryset.exclude(pk=self.instance.pk)
            fallback.queryset = others.filter(client=self.instance.client_id)

    def clean(self) -> Cleaned:
        """Check the server, who stands in, and that hours come in pairs."""
        cleaned = super().clean() or self.cleaned_data
        self._check_identity(cleaned)
        if cleaned.get("transport") == Transport.PROVIDER:
            self._check_provider(cleaned)
        else:
            cleaned["provider"] = ""
        self._check_server(cleaned)
        self._check_password(cleaned)
        self._check_fallback(cleaned)
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_until") is None):
            missing = "quiet_until" if cleaned.get("quiet_until") is None else "quiet_from"
            self.add_error(missing, "Quiet hours need a beginning and an end.")
        return cleaned

    def clean_from_name(self) -> str:
        """Return the name with single blanks: some mail programs would make them so, some not."""
        return re.sub(" {2,}", " ", self.cleaned_data["from_name"])

    def clean_bounce_domain(self) -> str:
        """Return the domain as it stands in DNS."""
        return as_in_dns(self.cleaned_data["bounce_domain"])

    def _check_identity(self, cleaned: Cleaned) -> None:
        """Refuse what could not stand in a header or an envelope."""
        names = ("from_name", "from_address", "reply_to", "bounce_domain")
        typed = {name: cleaned.get(name) or "" for name in names}
        for name, fault in header_fields.identity_faults(**typed).items():
            if name not in self.errors:
                self.add_error(name, sentence(fault))
        client = cleaned.get("client") or (self.instance.pk and self.instance.client)
        for name in ("from_address", "bounce_domain"):
            is_asked = client and typed[name] and name not in self.errors
            if is_asked and (fault := domains.fault(client, typed[name])):
                self.add_error(name, fault)

    def _check_server(self, cleaned: Cleaned) -> None:
        """Refuse a server that could not be used as it is written."""
        if cleaned.get("transport") != Transport.SMTP:
            return
        if not cleaned.get("host"):
            self.add_error("host", "Name the mail server this sender uses.")
            return
        names = ("host", "port", "security", "username", "connections")
        if set(names) & set(self.errors):
            return
        password = cleaned.get("new_password") or self.instance.password
        written = Sender(
            transport=Transport.SMTP, password=password, **{name: cleaned[name] for name in names}
        )
        if fault := routing.settings_fault(written):
            field, reason = fault
            self.add_error("new_password" if field == "password" else field, sentence(reason))

    def _check_password(self, cleaned: Cleaned) -> None:
        """Ask for the password again where it would go to another server, or in the clear."""
        moved = set(WHERE_THE_PASSWORD_GOES) & set(self.changed_data)
        goes_on = cleaned.get("transport") == Transport.SMTP
        if goes_on and self.instance.password and moved and not cleaned.get("new_password"):
            self.add_error("new_password", TYPE_AGAIN.format("password"))

    def _check_provider(self, cleaned: Cleaned) -> None:
        """Put together what the provider needs to know; every fault stands at its field."""
        name = cleaned.get("provider") or ""
        if name not in PROVIDERS:
            self.add_error("provider", "Choose the provider.")
            return
        typed = {
            field.name: cleaned.get(named(name, field.name), "") for field in PROVIDERS[name].fields
        }
        stays = name == self._was and typed.get(WHERE_CREDENTIALS_GO, "") == self._kept.get(
            WHERE_CREDENTIALS_GO, ""
        )
        for field in PROVIDERS[name].fields:
            if field.secret and not typed[field.name] and stays:
                typed[field.name] = self._kept.get(field.name, "")
            if field.required and not typed[field.name]:
                again = field.secret and self._kept.get(field.name)
                message = TYPE_AGAIN.format(field.label) if again else f"{field.label} is missing."
                self.add_error(named(name, field.name), message)
        if self.errors:
            return
        cleaned["credentials"] = {key: value for key, value in typed.items() if value}
        written = Sender(
            transport=Transport.PROVIDER,
            provider=name,
            credentials=json.dumps(cleaned["credentials"]),
            connections=cleaned["connections"],
        )
        if fault := routing.settings_fault(written):
            at = [field.name for field in PROVIDERS[name].fields if field.name in fault[1]]
            self.add_error(named(name, at[0]) if at else "provider", sentence(fault[1]))

    def _check_fallback(self, cleaned: Cleaned) -> None:
        """Refuse a stand-in of another client, or one that leads back here."""
        chosen = cleaned.get("fallback")
        if chosen is None:
            return
        client = cleaned.get("client") or (self.instance.pk and self.instance.client)
        if client and chosen.client_id != client.pk:
            self.add_error("fallback", f"This sender is not one of {client}; choose another.")
            return
        names = [self.instance.name or cleaned.get("name", "")]
        for sender in failover.walk(chosen):
            names.append(sender.name)
            if sender.pk == self.instance.pk:
                self.add_error("fallback", f"This goes round in a circle: {' → '.join(names)}.")
                return

    def save(self, commit: bool = True) -> Sender:
        """Keep secrets where none were typed; forget them with the server they belong to."""
        sender = self.instance
        if self.cleaned_data.get("new_password"):
            sender.password = self.cleaned_data["new_password"]
        if sender.transport != Transport.SMTP:
            sender.password = ""
        sender.provider = self.cleaned_data.get("provider", "")
        kept = self.cleaned_data.get("credentials")
        sender.credentials = json.dumps(kept) if kept else ""
        return super().save(commit)


class PaceRuleForm(forms.ModelForm):
    """What one receiver may get; nothing is chosen before somebody chooses."""

    receiver = forms.TypedChoiceField(
        coerce=int,
        choices=[("", "–"), *Receiver.choices],
        widget=UnfoldAdminSelectWidget(),
    )

    class Meta:
        model = PaceRule
        fields = ["receiver", "per_second", "connections"]
        labels = {"per_second": "Mails a second"}
        help_texts = {"per_second": "", "connections": "at once, from each worker process"}

    def clean(self) -> Cleaned:
        """Refuse a rule that limits nothing."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not (cleaned.get("per_second") or cleaned.get("connections")):
            self.add_error("per_second", "Say how many mails a second, or how many connections.")
        return cleaned


def _by_name(sender: Sender) -> str:
    """Name a sender as staff know it; several may have one From address."""
    return f"{sender.name} ({sender.from_address})"


def _credential(provider: str, field: Field) -> forms.CharField:
    """Return the field for one credential; what is secret is never put into a page."""
    if field.secret:
        widget: Any = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})
        help_text = f"{field.help}; {STAYS_WHERE_EMPTY}" if field.help else STAYS_WHERE_EMPTY
    else:
        widget, help_text = UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}), field.help
    return forms.CharField(
        label=f"{provider}: {field.label}",
        required=False,
        max_length=2000,
        widget=widget,
        help_text=help_text,
    )


def _with_credentials() -> type[SenderForm]:
    """Return the form with a field for every credential of every provider."""
    choices = [("", "–"), *((name, provider.label) for name, provider in PROVIDERS.items())]
    made: dict[str, Any] = {
        "__module__": __name__,
        "__doc__": SenderForm.__doc__,
        "provider": forms.ChoiceField(
            choices=choices, required=False, widget=UnfoldAdminSelectWidget()
        ),
    }
    for name, provider in PROVIDERS.items():
        for field in provider.fields:
            made[named(name, field.name)] = _credential(provider.label, field)
    return type("CredentialsForm", (SenderForm,), made)


CredentialsForm = _with_credentials()
CREDENTIALS = {
    name: [named(name, field.name) for field in provider.fields]
    for name, provider in PROVIDERS.items()
}
"""The form's names of each provider's credentials."""
