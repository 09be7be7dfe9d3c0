"""A mailing before it goes: its source, its audience, and its life from draft to sent."""
