"""What a person changes about themselves, behind a fresh mailed link."""

import unicodedata

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import number_format
from django.utils.translation import gettext

from accountability import audit
from registrants.models import Registrant

NAME_CHARACTERS = 120


def clean_name(text: str) -> str:
    """Return a name fit to keep; raises ValidationError with a sentence for the form (M-5, S-6)."""
    name = " ".join(text.split())
    if len(name) > NAME_CHARACTERS:
        longest = {"longest": number_format(NAME_CHARACTERS)}
        raise ValidationError(
            gettext("A name may have %(longest)s characters; this one is longer.") % longest
        )
    if any(_has_no_place_in_a_name(letter) for letter in name):
        raise ValidationError(gettext("This name has control characters in it."))
    if "://" in name or "www." in name.lower():
        raise ValidationError(gettext("Please write a name, not a web address."))
    return name


def _has_no_place_in_a_name(letter: str) -> bool:
    """Tell control characters and those that turn the direction of writing (joiners may stay)."""
    turns = unicodedata.bidirectional(letter) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI")
    return turns or unicodedata.category(letter) in ("Cc", "Cs", "Zl", "Zp")


@transaction.atomic
def rename(*, registrant: Registrant, name: str) -> None:
    """Correct a registrant's name (P16); the same name writes nothing; raises ValidationError."""
    cleaned = clean_name(name)
    if cleaned == registrant.name:
        return
    registrant.name = cleaned
    registrant.save(update_fields=["name"])
    audit.record(act="rename", subject=registrant, client=registrant.client_id)
