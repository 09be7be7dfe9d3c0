"""The facts of accountability, one model a file."""

from accountability.models.audit_entry import AuditEntry
from accountability.models.key_fingerprint import KeyFingerprint

__all__ = ["AuditEntry", "KeyFingerprint"]
