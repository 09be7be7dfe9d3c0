"""Wiring: settings, URLs, Celery and the WSGI door; nobody imports it."""
