"""How fast a campaign leaves: real Celery workers, a real SMTP server, the whole path."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

LINKS = 15
AIM = 20_480


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.send", description=__doc__)
    parser.add_argument("--registrants", type=int, default=20_000)
    parser.add_argument("--smtp", default="127.0.0.1:2525", help="HOST:PORT of the receiver")
    parser.add_argument("--workers", type=int, default=1, help="sending processes")
    parser.add_argument("--connections", type=int, default=4, help="per sending process")
    parser.add_argument("--database-url", help="an empty database, instead of an embedded one")
    parser.add_argument("--redis-url", help="instead of an embedded server")
    return parser.parse_args()


def prepare(told: argparse.Namespace, stack: ExitStack) -> None:
    """Start the servers that were not named, make the keys, create the tables."""
    from benchmarks.servers import start

    start(stack, database_url=told.database_url, redis_url=told.redis_url)
    os.environ["EMAIL_URL"] = f"smtp://{told.smtp}/?connections={told.connections}"
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def body(size: int) -> str:
    """Return a Markdown body with 15 links and about `size` characters of text."""
    words = "The heron stands in the shallow water and waits, as it has for years. "
    paragraph = words * max(1, size // LINKS // len(words))
    parts = ["Hello {{ registrant.name | default: 'there' }},"]
    for number in range(LINKS):
        parts.append(f"{paragraph} [Read more]({f'https://www.example.org/story/{number}'}).")
    return "\n\n".join(parts)


def populate(count: int) -> Any:
    """Make `count` confirmed registrants who granted both kinds of tracking, and a campaign."""
    from django.db import connection
    from django.utils.timezone import now

    from newsletter.models import Campaign, Sender
    from registrants.addresses import hashed
    from registrants.models import Client, MailingList

    client = Client.objects.create(
        name="Benchmark", slug="bench", domain="example.org", postal_address="1 Mill Lane"
    )
    mailing_list = MailingList.objects.create(
        client=client, name="News", slug="news", purpose="Everything, all the time"
    )
    sender = Sender.objects.create(
        client=client, name="main", from_name="Bench", from_address="news@example.org"
    )
    with connection.cursor() as cursor:
        with cursor.copy(
            "COPY registrants_registrant (client_id, address, address_hash, name, attributes,"
            " opens, clicks, created_at) FROM STDIN"
        ) as copy:
            for number in range(count):
                address = f"reader{number}@example.net"
                row = (client.pk, address, hashed(address), f"Reader {number}", "{}")
                copy.write_row((*row, "granted", "granted", now()))
        cursor.execute(
            "INSERT INTO registrants_subscription (registrant_id, mailing_list_id, state,"
            " ended_reason, created_at, confirmed_at)"
            " SELECT id, %s, 'confirmed', '', now(), now() FROM registrants_registrant",
            [mailing_list.pk],
        )
        cursor.execute("ANALYZE")
    return fitted(
        Campaign(
            client=client, mailing_list=mailing_list, sender=sender, subject="The news of the week"
        )
    )


def sample_bytes(campaign: Any) -> int:
    """Return the size of one rendered message, as it goes on the wire."""
    from newsletter import composing
    from newsletter.rendering import Person, Renderer
    from newsletter.sources import source_of

    compiled = composing.compile_mail(source_of(campaign))
    renderer = Renderer(compiled, mailing=1, link_ids=list(range(1, len(compiled.links) + 1)))
    person = Person(1, "reader1@example.net", "Reader 1", {}, 1, True, True, None)
    return len(renderer.render(person, date=b"Mon, 01 Jan 2026 00:00:00 GMT"))


def fitted(campaign: Any) -> Any:
    """Give the campaign a body that makes the message 20,480 bytes long, ± 5 %."""
    size = AIM // 3
    for _ in range(8):
        campaign.body = body(size)
        found = sample_bytes(campaign)
        if abs(found - AIM) < AIM * 0.04:
            break
        size += (AIM - found) // 3
    campaign.save()
    return campaign


@contextmanager
def celery(*words: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run one Celery process for a while."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "config", *words],
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def senders(parents: list[subprocess.Popen[bytes]]) -> list[int]:
    """Return the process ids that send: the children of the bulk workers."""
    found = []
    for parent in parents:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        found += [int(child) for child in children]
    return found


def peak_mb(pids: list[int], field: str = "VmHWM") -> float:
    """Return the highest resident memory of one of the processes, in MB (10**6 bytes)."""
    highest = 0.0
    for pid in pids:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(field):
                highest = max(highest, int(line.split()[1]) * 1024 / 1e6)
    return highest


def cpu_seconds(pids: list[int]) -> float:
    """Return the processor time the processes have used."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def wait_until_sent(campaign: Any, patience: float) -> None:
    """Wait until the campaign is sent; raise where it takes too long."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        campaign.refresh_from_db(fields=["state", "waiting_reason"])
        if campaign.state == "sent":
            return
        time.sleep(0.2)
    raise SystemExit(f"not sent in {patience} s: {campaign.state} {campaign.waiting_reason}")


def run(told: argparse.Namespace, stack: ExitStack) -> dict[str, Any]:
    """Stage and send one campaign; return the figures."""
    prepare(told, stack)
    from django.db.models import Max, Min

    from newsletter import approving, staging
    from newsletter.models import Delivery

    campaign = populate(told.registrants)
    logs = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    common = ("--without-gossip", "--without-mingle", "-c", "1", "-l", "WARNING")
    bulk = [
        stack.enter_context(
            celery("worker", "-Q", "bulk", "-n", f"b{i}@%h", *common, log=logs / f"b{i}")
        )
        for i in range(told.workers)
    ]
    stack.enter_context(celery("worker", "-Q", "letters", "-n", "l@%h", *common, log=logs / "l"))
    beat = ("beat", "-s", str(logs / "schedule"), "--pidfile=", "-l", "WARNING")
    stack.enter_context(celery(*beat, log=logs / "beat"))
    time.sleep(8)
    pids = senders(bulk)
    idle, used = peak_mb(pids, "VmRSS"), cpu_seconds(pids)
    approving.send_now(mailing=campaign, staff=None)
    began = time.perf_counter()
    staged = staging.stage(campaign.pk)
    while staged is None:  # a worker was faster
        campaign.refresh_from_db()
        staged = campaign.staged
    stage_seconds = time.perf_counter() - began
    wait_until_sent(campaign, patience=60 + told.registrants / 100)
    sent = Delivery.objects.filter(mailing=campaign, state="sent")
    times = sent.aggregate(first=Min("handed_over_at"), last=Max("settled_at"))
    seconds = (times["last"] - times["first"]).total_seconds()
    return {
        "registrants": told.registrants,
        "staged": staged,
        "stage_seconds": round(stage_seconds, 2),
        "sent": sent.count(),
        "send_seconds": round(seconds, 2),
        "sent_per_second": round(sent.count() / seconds),
        "bytes_per_message": sample_bytes(campaign),
        "cpu_us_per_message": round((cpu_seconds(pids) - used) / sent.count() * 1e6),
        "worker_peak_mb": round(peak_mb(pids), 1),
        "worker_idle_mb": round(idle, 1),
        "workers": told.workers,
    }


def main() -> None:
    """Run once and print the figures as one JSON line."""
    with ExitStack() as stack:
        figures = run(arguments(), stack)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
