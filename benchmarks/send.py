"""How fast a campaign leaves: real Celery workers, real SMTP servers, the whole path."""

import argparse
import json
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks import machine, sinks

if TYPE_CHECKING:
    from newsletter.models import Campaign

Figures = dict[str, Any]
READ_HERE = """
One JSON line a round, then one of medians. smtp_source_per_second: one smtp-source a sink, ten kept
connections, 20,480 bytes, just before the round; ratio: sent_per_second over it. send_seconds: from
the first hand-over to the last settlement. cpu_us_per_message: processor time of the sending
processes; postgres_cpu_us: of all of PostgreSQL. ledger_us_first and ledger_us_last: hand-over and
settle per message, wall time beside a busy wire, in the first and last tenth of the windows.
wal_bytes: written per message sent. worker_idle_mb, worker_peak_mb: resident, largest process.
"""


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.send", description=__doc__, epilog=READ_HERE
    )
    parser.add_argument("--registrants", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=1, help="in turn with smtp-source")
    parser.add_argument("--sinks", type=int, default=1, help="smtp-sinks to start")
    parser.add_argument("--smtp", help="HOST:PORT of a receiver, instead of sinks of our own")
    parser.add_argument(
        "--workers", type=int, help="sending processes, spread over the sinks; one a sink"
    )
    parser.add_argument("--connections", type=int, default=10, help="per sending process")
    parser.add_argument("--rate", type=int, help="mails a second the sender may send")
    parser.add_argument("--profile", action="store_true", help="say where each microsecond goes")
    parser.add_argument("--database-url", help="an empty database, instead of an embedded one")
    parser.add_argument("--redis-url", help="instead of an embedded server")
    return parser.parse_args()


def prepare(options: argparse.Namespace, stack: ExitStack, way: str) -> Path:
    """Start the servers that were not named, make the keys and the tables; a scratch folder."""
    import os

    from benchmarks.servers import start

    folder = start(stack, database_url=options.database_url, redis_url=options.redis_url)
    os.environ["EMAIL_URL"] = way
    machine.set_up()
    return folder


def wait_until_sent(campaign: "Campaign", patience: float) -> None:
    """Wait until the campaign is sent; raise where it takes too long."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        campaign.refresh_from_db(fields=["state", "waiting_reason"])
        if campaign.state == "sent":
            return
        time.sleep(0.2)
    raise SystemExit(f"not sent in {patience} s: {campaign.state} {campaign.waiting_reason}")


def stage(campaign: "Campaign") -> tuple[int, float]:
    """Stage it here, unless a worker is faster; return how many and the seconds it took."""
    from newsletter.delivery import staging
    from newsletter.mailings import lifecycle

    lifecycle.send_now(mailing=campaign, staff=None)
    began = time.perf_counter()
    staged = staging.stage(campaign.pk)
    while staged is None:
        time.sleep(0.05)
        campaign.refresh_from_db()
        staged = campaign.staged if campaign.state != "staging" else None
    return staged, time.perf_counter() - began


def flatness(windows: list[Figures]) -> Figures:
    """Return hand-over and settle per message, in µs, of the first and last tenth of windows."""
    full = [window for window in windows if window.get("sent", 0) >= 20]
    tenth = max(1, len(full) // 10)

    def per_message(some: list[Figures]) -> float:
        spent = sum(window["hand_over_ms"] + window["settle_ms"] for window in some)
        return round(spent * 1000 / sum(window["sent"] for window in some), 1)

    if not full:
        return {}
    # The very first window of a run compiles statements and reads cold pages.
    first, last = per_message(full[1 : tenth + 1] or full[:1]), per_message(full[-tenth:])
    return {
        "windows": len(windows),
        "ledger_us_first": first,
        "ledger_us_last": last,
        "ledger_last_of_first": round(last / first, 2),
    }


def send_one(campaign: "Campaign", workers: machine.Workers, patience: float) -> Figures:
    """Stage and send one campaign; return the figures."""
    from django.db.models import Max, Min

    from newsletter.models import Delivery

    pids = workers.pids
    staged, stage_seconds = stage(campaign)
    used, postgres = machine.cpu_seconds(pids), machine.postgres_cpu()
    written = machine.wal_position()
    wait_until_sent(campaign, patience)
    used, postgres = machine.cpu_seconds(pids) - used, machine.postgres_cpu() - postgres
    sent = Delivery.objects.filter(mailing=campaign, state="sent")
    times = sent.aggregate(first=Min("handed_over_at"), last=Max("settled_at"))
    seconds, count = (times["last"] - times["first"]).total_seconds(), sent.count()
    return {
        "staged": staged,
        "stage_seconds": round(stage_seconds, 2),
        "sent": count,
        "send_seconds": round(seconds, 2),
        "sent_per_second": round(count / seconds),
        "cpu_us_per_message": round(used / count * 1e6, 1),
        "postgres_cpu_us": round(postgres / count * 1e6, 1),
        "wal_bytes": round((machine.wal_position() - written) / count),
        "worker_idle_mb": round(workers.idle_mb, 1),
        "worker_peak_mb": round(workers.memory_mb(peak=True), 1),
        **flatness(workers.windows(campaign.pk)),
    }


def medians(rounds: list[Figures]) -> Figures:
    """Return the median of every figure, and the ratio of the medians."""
    names = [name for name, value in rounds[0].items() if isinstance(value, int | float)]
    summary: Figures = {name: median(figures[name] for figures in rounds) for name in names}
    if summary.get("smtp_source_per_second"):
        summary["ratio"] = round(summary["sent_per_second"] / summary["smtp_source_per_second"], 2)
    return summary


def say(**figures: object) -> None:
    """Print one JSON line."""
    print(json.dumps(figures), flush=True)


def measure(options: argparse.Namespace, stack: ExitStack) -> None:
    """Send campaign after campaign in turn with smtp-source; print the figures."""
    receivers = [options.smtp] if options.smtp else sinks.several(stack, options.sinks)
    workers_wanted = options.workers or len(receivers)
    ways = [
        f"smtp://{receivers[number % len(receivers)]}/?connections={options.connections}"
        for number in range(workers_wanted)
    ]
    folder = prepare(options, stack, ways[0])
    from benchmarks.campaign import another, populate, sample_bytes

    campaign = populate(options.registrants)
    if options.rate:
        type(campaign.sender).objects.update(per_second=options.rate)
    if options.profile:
        from benchmarks.profiling import profiled

        say(bench="profile", registrants=options.registrants, **profiled(campaign))
        return
    workers = machine.Workers(stack, folder / "logs", ways)
    conditions = {
        "registrants": options.registrants,
        "workers": workers_wanted,
        "sinks": len(receivers),
        "connections": options.connections,
        "bytes_per_message": sample_bytes(campaign),
        **({"rate": options.rate} if options.rate else {}),
    }
    patience = 60 + options.registrants / min(100, options.rate or 100)
    rounds = []
    for number in range(options.rounds):
        beside = None if options.rate else sinks.source_rate(receivers, options.registrants)
        figures = send_one(campaign if number == 0 else another(campaign), workers, patience)
        if beside is not None:
            ratio = round(figures["sent_per_second"] / beside, 2)
            figures = {"smtp_source_per_second": round(beside), "ratio": ratio, **figures}
        say(bench="send", round=number + 1, **conditions, **figures)
        rounds.append(figures)
    if options.rounds > 1:
        say(bench="send", medians_of=options.rounds, **conditions, **medians(rounds))


def main() -> None:
    """Measure, one JSON line a round."""
    with ExitStack() as stack:
        measure(arguments(), stack)


if __name__ == "__main__":
    main()
