"""The facts of accountability, one model a file."""

from accountability.models.audit_entry import AuditEntry

__all__ = ["AuditEntry"]
