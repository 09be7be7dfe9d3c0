"""How many pixels and links are answered a second: the real web server, Valkey and database."""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
DELIVERIES = 2_000


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.track", description=__doc__)
    parser.add_argument("--requests", type=int, default=40_000, help="half pixels, half clicks")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--threads", type=int, default=4, help="of the web process")
    parser.add_argument("--database-url", help="an empty database, instead of an embedded one")
    parser.add_argument("--redis-url", help="instead of an embedded server")
    return parser.parse_args()


def paths(folder: Path) -> tuple[Path, Path]:
    """Send a campaign on paper; return a file with its pixels and one with its links."""
    from benchmarks.campaign import populate
    from newsletter import links
    from newsletter.delivery import staging
    from newsletter.mailings import lifecycle
    from newsletter.models import Delivery, Link
    from registrants.tokens import Scope

    campaign = populate(DELIVERIES)
    lifecycle.send_now(mailing=campaign, staff=None)
    staging.stage(campaign.pk)
    sent = Delivery.objects.filter(mailing=campaign)
    sent.update(state=Delivery.State.SENT, opens=True, clicks=True)
    targets = list(Link.objects.filter(mailing=campaign).values_list("pk", flat=True))
    numbers = list(sent.values_list("pk", flat=True))
    pixel, click = links.url_maker("", Scope.PIXEL), links.url_maker("", Scope.CLICK)
    pixels, clicks = folder / "pixels", folder / "clicks"
    pixels.write_text("\n".join(pixel(number, 0) for number in numbers))
    clicks.write_text(
        "\n".join(click(number, targets[at % len(targets)]) for at, number in enumerate(numbers))
    )
    return pixels, clicks


@contextmanager
def web(port: int, threads: int, log: Path) -> Iterator[None]:
    """Run the web server as `make up` does, until it answers."""
    flags = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    flags += ["--blocking-threads", str(threads), "--no-access-log", "--log-level", "warning"]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "granian", *flags, "config.wsgi:application"],
            stdout=out,
            stderr=out,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/i/warm-up")
            yield
        finally:
            process.terminate()
            process.wait(15)


def _wait(address: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(address, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the web server does not start")


def load(port: int, where: Path, count: int, connections: int) -> Figures:
    """Ask from a process of its own; return what it measured."""
    arguments = ["--port", str(port), "--paths", str(where), "--requests", str(count)]
    arguments += ["--connections", str(connections)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", *arguments], check=True, capture_output=True
    )
    figures: Figures = json.loads(done.stdout)
    return figures


def run(options: argparse.Namespace, stack: ExitStack) -> Figures:
    """Ask for pixels, then for links, then drain; return the figures."""
    from benchmarks.servers import start
    from local.ports import hold_port

    folder = start(stack, database_url=options.database_url, redis_url=options.redis_url)
    import django

    django.setup()
    from django.core.management import call_command

    from tracking import events
    from tracking.models import Event

    call_command("migrate", verbosity=0)
    pixels, clicks = paths(folder)
    port, half = hold_port(18_000).release(), options.requests // 2
    with web(port, options.threads, folder / "web.log"):
        load(port, clicks, 500, options.connections)
        pixel = load(port, pixels, half, options.connections)
        click = load(port, clicks, half, options.connections)
        time.sleep(0.5)
    began = time.perf_counter()
    drained = events.drain_for(600.0)
    seconds = time.perf_counter() - began
    return {
        "requests": pixel["requests"] + click["requests"],
        "requests_per_second": round(
            2 / (1 / pixel["per_second"] + 1 / click["per_second"])  # half of each
        ),
        "pixels_per_second": pixel["per_second"],
        "pixel_p99_ms": pixel["p99_ms"],
        "clicks_per_second": click["per_second"],
        "click_p99_ms": click["p99_ms"],
        "statuses": {"pixel": pixel["statuses"], "click": click["statuses"]},
        "connections": options.connections,
        "hits": drained,
        "events_noted": Event.objects.count(),
        "events_per_second": round(drained / seconds),
    }


def main() -> None:
    """Measure and print one JSON line."""
    options = arguments()
    with ExitStack() as stack:
        print(json.dumps(run(options, stack)), flush=True)


if __name__ == "__main__":
    main()
