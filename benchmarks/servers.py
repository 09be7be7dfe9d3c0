"""The servers a benchmark runs against: embedded ones of its own unless told otherwise."""

import os
import tempfile
from contextlib import ExitStack
from pathlib import Path

from local import keys, postgres, valkey


def start(
    stack: ExitStack, *, database_url: str | None = None, redis_url: str | None = None
) -> Path:
    """Start what was not named and set the environment for Django; returns a scratch folder."""
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="heed-bench-")))
    database_url = database_url or stack.enter_context(postgres.running(folder / "data"))
    redis_url = redis_url or stack.enter_context(valkey.running(folder / "valkey"))
    os.environ.update(
        keys.make(),
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        HEED_DEMO="1",
        HEED_PUBLIC_URL="http://127.0.0.1:8000",
        HEED_NOTES_FOLDER=str(folder / "notes"),
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    return folder
