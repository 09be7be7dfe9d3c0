"""What is seen while mail goes out: progress, what holds a mailing back, health, metrics."""
