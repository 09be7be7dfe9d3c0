"""How fast one sender may go to one receiver."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from newsletter.models.receiver import Receiver
from newsletter.models.sender import Sender
from registrants.models.scope import Scoped


class PaceRule(models.Model):
    """A ceiling of one sender for one receiver; what is empty is not limited."""

    CLIENT_PATH = "sender__client"

    sender = models.ForeignKey(Sender, on_delete=models.CASCADE, related_name="pace_rules")
    receiver = models.SmallIntegerField(choices=Receiver.choices)
    per_second = models.DecimalField(
        max_digits=8,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01)],
        help_text="mails a second",
    )
    connections = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(50)]
    )

    objects = Scoped.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender", "receiver"], name="pace_rule_once")
        ]

    def __str__(self) -> str:
        return f"{self.sender}: {self.get_receiver_display()}"
