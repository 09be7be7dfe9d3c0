"""The facts about what came back, one model a file."""

from tracking.models.event import Event

__all__ = ["Event"]
