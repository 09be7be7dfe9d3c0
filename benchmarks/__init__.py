"""What it costs: each benchmark starts its own servers and prints one JSON line last."""
