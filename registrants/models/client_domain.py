"""A domain, or one public mailbox, that mail of one client and of no other may come from."""

import pgtrigger
from django.core.exceptions import ValidationError
from django.db import models

from registrants.host_names import ascii_domain
from registrants.models.client import Client
from registrants.models.scope import Scoped
from registrants.public_mailboxes import holds_public, is_public

ONE_CLIENT = """
IF NEW.is_contested THEN
    RETURN NEW;
END IF;
PERFORM pg_advisory_xact_lock(hashtext(TG_TABLE_NAME));
IF EXISTS (
    SELECT FROM registrants_clientdomain AS other
    WHERE other.client_id <> NEW.client_id AND (
        other.name = NEW.name
        OR (position('@' IN other.name) = 0
            AND right(NEW.name, length(other.name) + 1) IN ('.' || other.name, '@' || other.name))
        OR (position('@' IN NEW.name) = 0
            AND right(other.name, length(NEW.name) + 1) IN ('.' || NEW.name, '@' || NEW.name))))
THEN
    RAISE EXCEPTION 'this domain, or one above or below it, belongs to another client'
        USING ERRCODE = 'exclusion_violation';
END IF;
RETURN NEW;
"""


class ClientDomain(models.Model):
    """A name the owner of the installation allowed to one client, with everything below it."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="domains")
    name = models.CharField(
        "domain",
        max_length=254,
        help_text="such as heron.example, with all that ends in .heron.example; where anybody can"
        " have a mailbox, as at gmail.com: the one address",
    )
    allowed_by = models.BigIntegerField(
        null=True, editable=False, help_text="who of staff; empty: it was in use before"
    )
    allowed_at = models.DateTimeField(auto_now_add=True)
    is_contested = models.BooleanField(
        default=False,
        editable=False,
        help_text="another client used it, or one above or below it, before domains were allowed",
    )

    objects = Scoped.as_manager()

    class Meta:
        verbose_name = "domain"
        ordering = ["name", "client"]
        constraints = [
            models.UniqueConstraint(fields=["client", "name"], name="client_domain_once"),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(is_contested=False),
                name="client_domain_one_client",
            ),
            models.CheckConstraint(condition=~models.Q(name=""), name="client_domain_is_not_empty"),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="one_client",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=ONE_CLIENT,
            )
        ]

    def __str__(self) -> str:
        return self.name


def as_allowed(text: str) -> str:
    """Return a typed domain or address as it is kept; raises ValidationError.

    A domain is kept as A-labels; one address only where its domain gives mailboxes to anybody.
    """
    local, at, typed = text.strip().removesuffix(".").rpartition("@")
    try:
        domain = ascii_domain(typed)
    except ValueError as fault:
        raise ValidationError(f"This {fault}.") from None
    if holds_public(domain):
        raise ValidationError(f"{domain} is nobody's: write the domain below it.")
    if is_public(domain) and not local:
        raise ValidationError(
            f"Anybody can have a mailbox at {domain}: write the one address instead."
        )
    if at and not is_public(domain):
        raise ValidationError(f"Write the domain alone, {domain}: it is not a public mailbox.")
    return f"{local.lower()}@{domain}" if at else domain
