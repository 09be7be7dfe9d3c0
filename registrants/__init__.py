"""Who we write to and whether we may."""
