"""An SMTP server in a process of its own: notes when it accepted a mail for whom, at a set pace."""

import asyncio
import sys
import time
from pathlib import Path


class Counting:
    """Speaks just enough SMTP, pipelined; one line "seconds recipient" for each mail accepted."""

    def __init__(self, notes: Path, per_second: float) -> None:
        self.notes = notes.open("a", buffering=1)
        self.gap = 1 / per_second
        self.next = time.monotonic()

    async def pace(self) -> None:
        """Wait for this mail's turn."""
        self.next = max(self.next + self.gap, time.monotonic())
        await asyncio.sleep(max(0.0, self.next - time.monotonic()))

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Hold one conversation."""
        writer.write(b"220 counting ESMTP\r\n")
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-counting\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
                writer.write(b"250 2.1.5 Ok\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go on\r\n")
                await reader.readuntil(b"\r\n.\r\n")
                await self.pace()
                self.notes.write(f"{time.time():.6f} {recipient}\n")
                writer.write(b"250 2.0.0 Ok\r\n")
            elif verb == b"QUIT":
                break
            else:
                writer.write(b"250 2.0.0 Ok\r\n")
            await writer.drain()
        writer.close()


async def main(port: int, notes: Path, per_second: float) -> None:
    """Serve until ended."""
    counting = Counting(notes, per_second)
    server = await asyncio.start_server(counting.talk, "127.0.0.1", port, limit=2**22)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
