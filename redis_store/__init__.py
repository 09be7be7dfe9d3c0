"""The one Redis connection, and the rate limits kept there."""
