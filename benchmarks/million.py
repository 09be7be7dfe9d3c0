"""A campaign of a million, and what the machine, staff and readers notice of it meanwhile."""

import argparse
import json
import os
import threading
import time
from contextlib import ExitStack
from pathlib import Path

from benchmarks import machine, sinks


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.million", description=__doc__)
    parser.add_argument("--registrants", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=1, help="each to a sink of its own")
    parser.add_argument("--connections", type=int, default=10, help="per sending process")
    parser.add_argument("--no-watch", action="store_true", help="no pages and no letters meanwhile")
    parser.add_argument("--database-url", help="an empty database, instead of an embedded one")
    parser.add_argument("--redis-url", help="instead of an embedded server")
    return parser.parse_args()


class PeakMemory(threading.Thread):
    """Reads the memory of the largest sending process each second."""

    def __init__(self, workers: machine.Workers) -> None:
        super().__init__(daemon=True)
        self._workers, self._over = workers, threading.Event()
        self.seen: list[float] = []

    def run(self) -> None:
        """Read until it is told to stop."""
        while not self._over.wait(1.0):
            self.seen.append(self._workers.memory_mb())

    def tenths(self) -> list[float]:
        """Stop; return the highest of each tenth of the time, in MB."""
        self._over.set()
        size = max(1, -(-len(self.seen) // 10))
        return [round(max(self.seen[at : at + size]), 1) for at in range(0, len(self.seen), size)]


def start(options: argparse.Namespace, stack: ExitStack) -> tuple[Path, list[str]]:
    """Start servers and sinks and make the tables; return a folder and each worker's way out."""
    from benchmarks import servers

    receivers = sinks.several(stack, options.workers)
    ways = [f"smtp://{receiver}/?connections={options.connections}" for receiver in receivers]
    folder = servers.start(stack, database_url=options.database_url, redis_url=options.redis_url)
    os.environ["EMAIL_URL"] = ways[0]
    machine.set_up()
    return folder, ways


def run(options: argparse.Namespace, stack: ExitStack) -> dict[str, object]:
    """Populate, stage, send, watch; return the figures."""
    folder, ways = start(options, stack)
    from benchmarks.campaign import populate
    from benchmarks.send import send_one
    from benchmarks.track import web
    from benchmarks.watching import Letterbox, Watch
    from local.ports import hold_port

    began = time.perf_counter()
    campaign = populate(options.registrants)
    populated = time.perf_counter() - began
    before, written = machine.sizes(), machine.wal_position()
    box = Letterbox()
    workers = machine.Workers(stack, folder / "logs", ways, letters=box.way)
    memory, watched = PeakMemory(workers), {}
    patience = 120 + options.registrants / 100
    memory.start()
    if options.no_watch:
        figures = send_one(campaign, workers, patience)
    else:
        port = hold_port(18_000).release()
        stack.enter_context(web(port, 4, folder / "web.log"))
        with Watch(port, campaign.pk, box) as watch:
            figures = send_one(campaign, workers, patience)
        watched = watch.figures()
    return {
        "registrants": options.registrants,
        "workers": options.workers,
        "populate_seconds": round(populated, 1),
        **figures,
        "memory_mb_by_tenth": memory.tenths(),
        "before": before,
        "after": machine.sizes(),
        "wal_bytes_staging_included": machine.wal_position() - written,
        **watched,
    }


def main() -> None:
    """Measure and print one JSON line."""
    with ExitStack() as stack:
        print(json.dumps({"bench": "million", **run(arguments(), stack)}), flush=True)


if __name__ == "__main__":
    main()
