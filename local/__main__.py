"""`python -m local`: start everything; `python -m local forget`: remove what it kept."""

import argparse
import os
import shutil
import sys
from pathlib import Path

from local.postgres import Postgres
from local.up import ROOT, AlreadyRunning, alone, say, up


def forget(data: Path) -> int:
    """Remove the demo's database, keys, mail and logs; refuses while it runs."""
    try:
        with alone(data):
            server = Postgres(data)
            server.forget()
            server.stop()
    except AlreadyRunning:
        say("Heed is running on this data folder; stop it with Ctrl-C first.")
        return 1
    shutil.rmtree(data, ignore_errors=True)
    return 0


def main() -> int:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    parser.add_argument("verb", nargs="?", choices=("up", "forget"), default="up")
    data = Path(os.environ.get("HEED_DATA", ROOT / "var"))
    parser.add_argument("--data", type=Path, default=data)
    parser.add_argument("--port", type=int, default=8000)
    options = parser.parse_args()
    data = options.data.absolute()
    return forget(data) if options.verb == "forget" else up(data, port=options.port)


if __name__ == "__main__":
    sys.exit(main())
