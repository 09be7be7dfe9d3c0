"""What the way to the mail server costs: the wire alone, through a line with a round trip."""

import argparse
import asyncio
import json
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import randrange

from benchmarks import machine, sinks
from benchmarks.campaign import AIM
from local.ports import hold_port


async def _carry(come: asyncio.StreamReader, go: asyncio.StreamWriter, one_way: float) -> None:
    """Pass on what comes, each piece later by the way it has to go, in order."""
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def deliver() -> None:
        while True:
            due, piece = await under_way.get()
            if (early := due - time.monotonic()) > 0:
                await asyncio.sleep(early)
            if not piece:
                go.close()
                return
            go.write(piece)

    last = asyncio.create_task(deliver())
    while piece := await come.read(262_144):
        under_way.put_nowait((time.monotonic() + one_way, piece))
    under_way.put_nowait((time.monotonic() + one_way, b""))
    await last


def _line(port: int, to: int, one_way: float) -> None:
    async def connected(come: asyncio.StreamReader, go: asyncio.StreamWriter) -> None:
        far_come, far_go = await asyncio.open_connection("127.0.0.1", to)
        await asyncio.gather(
            _carry(come, far_go, one_way), _carry(far_come, go, one_way), return_exceptions=True
        )

    async def serve() -> None:
        server = await asyncio.start_server(connected, "127.0.0.1", port)
        await server.serve_forever()

    asyncio.run(serve())


@contextmanager
def line(to: str, milliseconds: float) -> Iterator[str]:
    """Run a line to a server, in a process of its own, with so long a round trip; its HOST:PORT."""
    port = hold_port(randrange(11_000, 16_000)).release()
    arguments = (port, int(to.rpartition(":")[2]), milliseconds / 2000)
    process = multiprocessing.Process(target=_line, args=arguments, daemon=True)
    process.start()
    time.sleep(0.5)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join(5)


def rate(where: str, connections: int, seconds: float) -> int:
    """Return the messages of 20,480 bytes a second the wire alone gets through in a while."""
    from newsletter.senders import routing
    from newsletter.transports import Message, SmtpSettings

    host, _, port = where.partition(":")
    wire = routing.opened(SmtpSettings(host=host, port=int(port), connections=connections))
    data = b"Subject: distance\r\n\r\n" + b"The heron stands in the shallow water.\r\n" * (
        AIM // 40
    )
    over = time.monotonic() + seconds

    def messages() -> Iterator[Message]:
        number = 0
        while time.monotonic() < over:
            number += 1
            yield Message(number, "news@example.org", "reader@example.net", data, True)

    began = time.monotonic()
    sent = sum(outcome.state == "sent" for outcome in wire.send(messages()))
    taken = time.monotonic() - began
    wire.close()
    return round(sent / taken)


def main() -> None:
    """Measure each round trip with each number of connections; print one JSON line each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.distance", description=__doc__)
    parser.add_argument("--round-trips", type=float, nargs="+", default=[0, 1, 10, 50], help="ms")
    parser.add_argument("--connections", type=int, nargs="+", default=[4, 10, 50])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each figure")
    options = parser.parse_args()
    with ExitStack() as stack:
        from benchmarks import servers

        servers.start(stack)
        machine.set_up()
        sink = stack.enter_context(sinks.sink())
        for milliseconds in options.round_trips:
            figures: dict[str, object] = {"bench": "distance", "round_trip_ms": milliseconds}
            with line(sink, milliseconds) as where:
                for connections in options.connections:
                    figures[f"per_second_{connections}"] = rate(where, connections, options.seconds)
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
