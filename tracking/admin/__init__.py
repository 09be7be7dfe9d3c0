"""The staff pages about what came back: reports, and the home page of the admin."""

from tracking.admin.report import ReportPage

__all__ = ["ReportPage"]
