"""Which key a version of a setting was: a fingerprint that tells nothing, and since when."""

from django.db import models


class KeyFingerprint(models.Model):
    """One version of one key setting, as the first process that served with it had it."""

    setting = models.CharField(max_length=40)
    version = models.PositiveSmallIntegerField()
    fingerprint = models.BinaryField(max_length=32, help_text="a MAC of a constant, under the key")
    first_seen_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "key fingerprint"
        constraints = [
            models.UniqueConstraint(fields=["setting", "version"], name="one_key_a_version")
        ]

    def __str__(self) -> str:
        return f"{self.setting} version {self.version}"
