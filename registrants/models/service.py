"""Something people signed up for, such as an account or a seminar."""

from django.db import models

from registrants.models.client import Client
from registrants.models.scope import Scoped


class Service(models.Model):
    """A service of one client whose mandatory notices reach everyone enrolled."""

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="services")
    name = models.CharField(max_length=80)
    description = models.CharField(max_length=300)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = Scoped.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["client", "name"], name="service_name_once")]

    def __str__(self) -> str:
        return self.name
