"""The facts about what came back, one model a file."""

from tracking.models.event import Event
from tracking.models.report import Report

__all__ = ["Event", "Report"]
