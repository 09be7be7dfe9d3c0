"""Whole stories in a real browser; a package, so that its system ends with its last story."""
