"""What came back, counted and drawn: totals, cards, charts, lists, files."""
