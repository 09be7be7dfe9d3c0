"""A real mail server to send to."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from newsletter.senders import failover, routing
from tests.scripted_smtp import ScriptedSmtp


@pytest.fixture
def smtp(settings: Settings) -> Iterator[ScriptedSmtp]:
    """Return a server that counts every accepted message; the installation's mail goes there."""
    with ScriptedSmtp() as server:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{server.port}/?connections=2&command=5&connect=2"
        yield server
    failover.forget()
    routing.close_all()
