"""The form of a mailing: checked for sense, and against somebody else's newer edit."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from newsletter import sandbox
from newsletter.content.errors import SourceErrors
from newsletter.mailings.source import OF_THE_CLIENT, WRITTEN, source_of
from newsletter.models import Mailing

FIELDS = {"layout": "template", "from_name": "sender", "reply_to": "sender"}


@dataclass(frozen=True)
class Difference:
    """One field as it was saved by somebody else and as it is typed here."""

    label: str
    saved: str
    typed: str


Cleaned = dict[str, Any]
"""The values of a form's fields, each of its field's own type."""


class MailingForm(forms.ModelForm):
    """What a campaign and a notice have in common when they are written."""

    seen_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    replace_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.differences: list[Difference] = []
        self.newer_version: int | None = None
        self.newer_at: datetime | None = None
        self.fields["seen_version"].initial = self.instance.version
        self._narrow()

    def _narrow(self) -> None:
        """Offer what belongs to the client of a saved mailing, and nothing else."""
        client = self.instance.client_id
        if not client:
            client = _number(self.initial.get("client"))
        for name in OF_THE_CLIENT:
            field: Any = self.fields.get(name)
            if field is not None and client:
                field.queryset = field.queryset.filter(client=client)

    def clean_subject(self) -> str:
        """Refuse a line break: what follows it would be read as another header."""
        return _one_line(self.cleaned_data["subject"])

    def clean_preheader(self) -> str:
        """Refuse a line break."""
        return _one_line(self.cleaned_data["preheader"])

    def clean(self) -> Cleaned:
        """Check that all belongs to one client, compiles, and that no newer edit is overwritten."""
        cleaned = super().clean() or self.cleaned_data
        self._same_client(cleaned)
        if self.instance.pk:
            self._no_newer_edit(cleaned)
        if not self.errors:
            self._compiles(cleaned)
        return cleaned

    def _same_client(self, cleaned: Cleaned) -> None:
        client = cleaned.get("client") or (self.instance.pk and self.instance.client)
        for name in OF_THE_CLIENT:
            chosen = cleaned.get(name)
            if client and chosen and chosen.client_id != client.pk:
                label = self.fields[name].label or name
                self.add_error(
                    name, f"This {str(label).lower()} is not one of {client}; choose another."
                )

    def _no_newer_edit(self, cleaned: Cleaned) -> None:
        """Lock the row until the save has ended, and refuse where it is not what was seen."""
        saved = Mailing.objects.select_for_update().get(pk=self.instance.pk)
        if saved.state != Mailing.State.DRAFT:
            raise ValidationError(
                f"This is {saved.get_state_display()} by now, so it cannot be changed any more."
                " What you typed is still here, and nothing of it was saved."
            )
        if saved.version in (cleaned.get("seen_version"), cleaned.get("replace_version")):
            self.instance.version = saved.version
            return
        self.newer_version, self.newer_at = saved.version, saved.updated_at
        self.differences = [
            Difference(
                str(self.fields[name].label or name),
                str(getattr(saved, name) or ""),
                str(cleaned.get(name, self.data.get(name)) or ""),
            )
            for name in WRITTEN
            if name in self.fields
            and str(getattr(saved, name) or "") != str(cleaned.get(name) or "")
        ]
        raise ValidationError(
            "Somebody saved this while you were writing. Nothing was overwritten: what you typed"
            " is still here, what they saved is shown beside it."
        )

    def _compiles(self, cleaned: Cleaned) -> None:
        """Put every fault of the source at its field, with line and column."""
        try:
            sandbox.compile_mail(source_of(self._as_typed(cleaned)))
        except SourceErrors as faults:
            for fault in faults.faults:
                field = FIELDS.get(fault.field, fault.field)
                known = field in self.fields
                self.add_error(
                    field if known else None, str(fault) if known else f"{fault.field}: {fault}"
                )

    def _as_typed(self, cleaned: Cleaned) -> Mailing:
        typed = Mailing(kind=self.instance.kind, client=cleaned.get("client"))
        if self.instance.pk:
            typed.client = self.instance.client
        for name in WRITTEN:
            if name in cleaned:
                setattr(typed, name, cleaned[name])
        return typed

    def save(self, commit: bool = True) -> Mailing:
        """Count the version up, so that whoever still has the old one open is told."""
        self.instance.version += 1 if self.instance.pk else 0
        return super().save(commit)


def _number(typed: object) -> int | None:
    """Return the number of a row that stands in an address; None where it is none."""
    text = str(typed)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _one_line(text: str) -> str:
    if any(mark in text for mark in "\r\n\x0b\x0c\x85\u2028\u2029\x00"):
        raise ValidationError("This must be one line: take the line break out.")
    return text
