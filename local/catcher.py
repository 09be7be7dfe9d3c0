"""The mail catcher: takes every mail by SMTP on this machine, keeps it, shows it (local.inbox)."""

import argparse
import asyncio
import signal
import threading
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from local.caught import Inbox
from local.inbox import serve

LARGEST = 20_000_000


class Handler:
    """What aiosmtpd calls for each mail."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def handle_EHLO(
        self, server: SMTP, session: Session, envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        """Offer pipelining, as the servers of the world do."""
        session.host_name = name
        return [*answers[:-1], "250-PIPELINING", answers[-1]]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Keep the mail, once for each recipient."""
        content = envelope.content
        assert isinstance(content, bytes)
        for recipient in envelope.rcpt_tos:
            self.inbox.take(envelope.mail_from or "", recipient, content)
        return f"250 2.0.0 Ok, kept as {self.inbox.count}"


class Door(SMTP):
    """aiosmtpd, but a message is read in one piece: line by line it takes half as many a second."""

    line_length_limit = LARGEST

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:
        """Take one message (RFC 5321 §4.1.1.4) and undo its dot-stuffing (§4.5.2)."""
        envelope = self.envelope
        if envelope is None or not envelope.rcpt_tos:
            await self.push("503 5.5.1 Error: need RCPT command")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        data = bytearray(b"\r\n")
        try:
            while not data.endswith(b"\r\n.\r\n"):
                data += await self._reader.readuntil(b".\r\n")
        except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
            assert self.transport is not None
            self.transport.close()
            return
        envelope.content = bytes(data[:-3].replace(b"\r\n..", b"\r\n.")[2:])
        status = await self._call_handler_hook("DATA")
        self._set_post_data_state()
        await self.push(status)


class SmtpSide(Controller):
    """The thread that listens for mail."""

    def factory(self) -> SMTP:
        """Return what speaks with one client."""
        return Door(self.handler, **self.SMTP_kwargs)


class Catcher:
    """SMTP and pages of one inbox, in this process."""

    def __init__(self, folder: Path, *, smtp_port: int, web_port: int) -> None:
        self.inbox = Inbox(folder)
        self.smtp = SmtpSide(
            Handler(self.inbox),
            hostname="127.0.0.1",
            port=smtp_port,
            data_size_limit=LARGEST,
            ready_timeout=10,
        )
        self.pages = serve(self.inbox, web_port)

    def __enter__(self) -> "Catcher":
        self.smtp.start()
        threading.Thread(target=self.pages.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.smtp.stop()
        self.pages.shutdown()
        self.pages.server_close()
        self.inbox.close()


def main() -> None:
    """Run until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m local.catcher", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--web-port", type=int, required=True)
    options = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Catcher(options.folder, smtp_port=options.smtp_port, web_port=options.web_port):
        stop.wait()


if __name__ == "__main__":
    main()
