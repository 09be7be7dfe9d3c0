"""A mail server in a process of its own: notes what it began and accepted, at a pace that can turn.

One line for each event, "what seconds connection recipient": begun (it asked for the body),
read (it has the whole body), accepted (it says so next), closed.
"""

import asyncio
import sys
import time
from itertools import count
from pathlib import Path


class Counting:
    """Speaks just enough SMTP, pipelined; XPACE sets mails a second (0: any), XCOUNT counts."""

    def __init__(self, notes: Path, per_second: float) -> None:
        self.notes = notes.open("a", buffering=1)
        self.per_second = per_second
        self.next = time.monotonic()
        self.numbers = count(1)
        self.accepted = 0

    def note(self, what: str, connection: int, recipient: str = "-") -> None:
        """Write one event down where a kill of this process cannot take it back."""
        self.notes.write(f"{what} {time.time():.6f} {connection} {recipient}\n")

    async def pace(self) -> None:
        """Wait for this mail's turn."""
        if self.per_second:
            self.next = max(self.next + 1 / self.per_second, time.monotonic())
            await asyncio.sleep(max(0.0, self.next - time.monotonic()))

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        connection = next(self.numbers)
        try:
            await self._talk(connection, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.note("closed", connection)
            writer.close()

    async def _talk(
        self, connection: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        writer.write(b"220 counting ESMTP\r\n")
        recipient = ""
        while line := await reader.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if verb == "QUIT":
                return
            if verb == "RCPT":
                recipient = rest.partition("<")[2].partition(">")[0]
            if verb == "DATA":
                self.note("begun", connection, recipient)
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                self.note("read", connection, recipient)
                await self.pace()
                self.note("accepted", connection, recipient)
                self.accepted += 1
            writer.write(self._answer(verb, rest))
            await writer.drain()

    def _answer(self, verb: str, rest: str) -> bytes:
        if verb == "EHLO":
            return b"250-counting\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
        if verb == "XPACE":
            self.per_second = float(rest)
        if verb == "XCOUNT":
            return f"250 {self.accepted}\r\n".encode()
        return b"250 2.0.0 Ok\r\n"


async def main(port: int, notes: Path, per_second: float) -> None:
    """Serve until ended."""
    counting = Counting(notes, per_second)
    server = await asyncio.start_server(counting.talk, "127.0.0.1", port, limit=2**22)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
