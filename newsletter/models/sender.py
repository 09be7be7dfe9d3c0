"""The identity and the credentials mail leaves under."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from newsletter.encryption import EncryptedField
from registrants.models import Client
from registrants.models.client import host_name
from registrants.models.scope import Scoped


class Sender(models.Model):
    """A From address of one client with the mail server it leaves through."""

    class Transport(models.TextChoices):
        """How mail leaves."""

        INSTALLATION = "installation", "the installation's mail server (EMAIL_URL)"
        SMTP = "smtp", "an SMTP server of its own"
        PROVIDER = "provider", "a mail provider's API"

    class Security(models.TextChoices):
        """How the connection is protected."""

        STARTTLS = "starttls", "STARTTLS (usually port 587)"
        TLS = "tls", "TLS from the start (usually port 465)"
        NONE = "none", "none (a server on this machine only)"

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="senders")
    name = models.CharField(max_length=80, help_text="how staff know this sender")
    from_name = models.CharField(max_length=120, help_text="what readers see as the sender")
    from_address = models.EmailField()
    reply_to = models.EmailField(blank=True)
    bounce_domain = models.CharField(
        max_length=120,
        blank=True,
        validators=[host_name],
        help_text="domain bounces return to; empty: that of the From address",
    )
    transport = models.CharField(
        max_length=12, choices=Transport.choices, default=Transport.INSTALLATION
    )
    host = models.CharField(max_length=253, blank=True)
    port = models.PositiveIntegerField(
        default=587, validators=[MinValueValidator(1), MaxValueValidator(65535)]
    )
    security = models.CharField(max_length=8, choices=Security.choices, default=Security.STARTTLS)
    username = models.CharField(max_length=254, blank=True)
    password = EncryptedField(blank=True, default="")
    connections = models.PositiveSmallIntegerField(
        default=4, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )
    provider = models.CharField(max_length=20, blank=True)
    credentials = EncryptedField(blank=True, default="", help_text="a JSON object, by provider")
    fallback = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        help_text="whose server takes over where this one's cannot be used; the From stays",
    )
    per_second = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="mails a second in all; empty: as fast as the server takes them",
    )
    warm_up_on = models.DateField(
        null=True, blank=True, help_text="first day of the warm-up; empty: none"
    )
    warm_up_first = models.PositiveIntegerField(
        default=500, validators=[MinValueValidator(1)], help_text="mails on the first day"
    )
    warm_up_growth = models.PositiveSmallIntegerField(
        default=50, validators=[MinValueValidator(1)], help_text="per cent more each day"
    )
    warm_up_until = models.PositiveIntegerField(
        default=100_000, validators=[MinValueValidator(1)], help_text="mails a day that end it"
    )
    quiet_from = models.TimeField(
        null=True, blank=True, help_text="campaigns rest from here on, on the client's clock"
    )
    quiet_until = models.TimeField(null=True, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True, editable=False)
    stopped_reason = models.CharField(max_length=500, blank=True, editable=False)
    is_default = models.BooleanField(
        default=False, help_text="sends the letters of this client (confirm, your choices)"
    )
    updated_at = models.DateTimeField(auto_now=True)

    objects = Scoped.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["client", "name"], name="sender_name_once"),
            models.UniqueConstraint(
                fields=["client"],
                condition=models.Q(is_default=True),
                name="sender_one_default",
            ),
            models.CheckConstraint(
                condition=~models.Q(transport="smtp") | ~models.Q(host=""),
                name="sender_smtp_has_host",
            ),
            models.CheckConstraint(
                condition=~models.Q(transport="provider") | ~models.Q(provider=""),
                name="sender_provider_is_named",
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="sender_quiet_from_until",
            ),
        ]

    @property
    def envelope_domain(self) -> str:
        """Return the domain bounces return to."""
        return self.bounce_domain or self.from_address.rpartition("@")[2]

    def __str__(self) -> str:
        return f"{self.from_name} <{self.from_address}>"
