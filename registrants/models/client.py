"""The organisation on whose behalf mail is sent; the wall between one and the next."""

import zoneinfo

from django.core.exceptions import ValidationError
from django.db import models

from registrants.host_names import ascii_domain
from registrants.models.scope import Scoped
from registrants.tokens import LINK_HOST_LONGEST, URL_LONGEST


def host_name(value: str) -> None:
    """Raise ValidationError where a domain could not stand in DNS, a header and the envelope."""
    try:
        ascii_domain(value)
    except ValueError as fault:
        raise ValidationError(f"This {fault}.") from None


def as_in_dns(value: str) -> str:
    """Return a typed domain as A-labels in lower case, without a dot at its end."""
    typed = value.strip().removesuffix(".")
    if not typed:
        return ""
    host_name(typed)
    return ascii_domain(typed)


def known_time_zone(value: str) -> None:
    """Raise ValidationError where a time zone is not in the IANA list."""
    if value not in zoneinfo.available_timezones():
        raise ValidationError("This is not a time zone; write one such as Europe/Berlin.")


class Client(models.Model):
    """A client owns lists, registrants, senders and templates."""

    CLIENT_PATH = ""

    name = models.CharField(max_length=120, unique=True)
    slug = models.SlugField(
        max_length=60, unique=True, help_text="in the address of the public sign-up page"
    )
    domain = models.CharField(
        max_length=120,
        validators=[host_name],
        help_text="the client's own domain: in Message-ID and List-Id",
    )
    link_host = models.CharField(
        max_length=LINK_HOST_LONGEST,
        blank=True,
        validators=[host_name],
        help_text=f"host of the links in mail, at most {LINK_HOST_LONGEST} characters so that"
        f" they stay within {URL_LONGEST}; empty: the installation's own",
    )
    postal_address = models.TextField(
        blank=True,
        max_length=400,
        help_text="required before a campaign may go out; stands in every footer",
    )
    privacy_url = models.URLField(blank=True, help_text="the client's privacy policy")
    time_zone = models.CharField(max_length=60, default="UTC", validators=[known_time_zone])
    locale = models.CharField(max_length=12, default="en")
    attribute_names = models.JSONField(
        default=list, blank=True, help_text="the custom attributes a mail may name"
    )
    on_hold_at = models.DateTimeField(
        null=True, blank=True, help_text="acceptable use was broken: no campaign leaves"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Scoped.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name
