"""Secrets at rest: encrypted in the database under versioned keys, readable by the code alone."""

import base64
from typing import Any

from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.db.models import TextField


def _box() -> MultiFernet:
    keys = sorted(settings.SECRETS_KEYS.items(), reverse=True)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for _, key in keys])


def opened(ciphertext: str) -> str:
    """Return the text of a ciphertext; raises InvalidToken where no key fits."""
    return _box().decrypt(ciphertext.encode()).decode()


class EncryptedField(TextField):
    """A text that stands in the database only as Fernet ciphertext; the newest key writes."""

    def get_prep_value(self, value: object) -> Any:
        """Return the ciphertext of a text; the empty text stays empty."""
        return _box().encrypt(str(value).encode()).decode() if value else ""

    def from_db_value(self, value: Any, *_: object) -> Any:
        """Return the text of a ciphertext; raises InvalidToken where no key fits."""
        return opened(value) if value else value
