"""What comes back: events, opens, clicks, unsubscribes, reports."""
