"""One spelling per address: validate, normalise, keyed hash."""

import hmac
import re

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext
from email_validator import EmailNotValidError, validate_email

LONGEST_CHARACTERS = 254
PLUS_TAG = re.compile(r"\+[^@]*(?=@)")


def clean(text: str) -> str:
    """Return the address as mail is sent to it: domain in A-label form, local part as written.

    Raises ValidationError with a sentence for the form (M-10, M-11; no DNS is asked).
    """
    try:
        validated = validate_email(
            text.strip(), check_deliverability=False, allow_smtputf8=False, test_environment=False
        )
    except EmailNotValidError as fault:
        raise ValidationError(_sentence(fault)) from None
    if validated.ascii_email is None or len(validated.ascii_email) > LONGEST_CHARACTERS:
        raise ValidationError(
            gettext("This e-mail address is too long or uses letters we cannot send to.")
        )
    return validated.ascii_email


def _sentence(fault: EmailNotValidError) -> str:
    """Return what to say of an address; what is wrong with it the library says in English alone."""
    if (get_language() or "en").startswith("en"):
        return f"This is not an e-mail address we can write to: {fault}"
    return gettext("This is not an e-mail address we can write to.")


def normalise(address: str) -> str:
    """Return the one spelling an address is matched by: trimmed, all lower case (L-26)."""
    return address.strip().lower()


def hashed(address: str) -> bytes:
    """Return the 32-byte HMAC-SHA-256 an address is known by, under the address key (L-26)."""
    return hmac.digest(settings.ADDRESS_KEY, normalise(address).encode(), "sha256")


def mailbox_hashed(address: str) -> bytes:
    """Return the hash of the mailbox behind plus tags and dots, for limits alone (S-3)."""
    local, _, domain = PLUS_TAG.sub("", normalise(address)).rpartition("@")
    if domain in ("gmail.com", "googlemail.com"):
        local = local.replace(".", "")
    return hashed(f"mailbox:{local}@{domain}")


def masked(address: str) -> str:
    """Return an address as a forwarded mail may show it: a***@example.org (U-29)."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain}" if domain else "***"
