"""The mails that were caught: the newest in memory and as files, all of them counted."""

import queue
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

MAILS_KEPT = 2_000
KEPT_BYTES = 256_000_000


@dataclass(frozen=True)
class Mail:
    """One mail as it came in, for one recipient."""

    number: int
    sender: str
    recipient: str
    at: datetime
    raw: bytes


class Inbox:
    """The newest mails, in memory and as .eml files; all are counted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mails: deque[Mail] = deque()
        self.count = self.size = 0
        self._to_write: queue.SimpleQueue[Mail | None] = queue.SimpleQueue()
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.eml"))[-MAILS_KEPT:]:
            self._keep(read(path))
        self._writer = threading.Thread(target=self._write, daemon=True)
        self._writer.start()

    def take(self, sender: str, recipient: str, raw: bytes) -> None:
        """Keep one mail; the oldest make room. The file is written by a thread of its own."""
        mail = Mail(self.count + 1, sender, recipient, datetime.now().astimezone(), raw)
        self._keep(mail)
        self._to_write.put(mail)

    def _keep(self, mail: Mail) -> None:
        self.count = mail.number
        self.mails.append(mail)
        self.size += len(mail.raw)
        while len(self.mails) > MAILS_KEPT or self.size > KEPT_BYTES:
            self.size -= len(self.mails.popleft().raw)

    def _write(self) -> None:
        oldest = 0
        while (mail := self._to_write.get()) is not None:
            first = self.mails[0].number if self.mails else 0
            if mail.number >= first:
                self.path(mail.number).write_bytes(
                    f"Return-Path: <{mail.sender}>\r\nDelivered-To: {mail.recipient}\r\n".encode()
                    + mail.raw
                )
            for number in range(oldest or max(1, first - MAILS_KEPT), first):
                self.path(number).unlink(missing_ok=True)
            oldest = first

    def path(self, number: int) -> Path:
        """Return where a mail lies."""
        return self.folder / f"{number:09}.eml"

    def find(self, number: int) -> Mail | None:
        """Return one mail by its number, None where it made room."""
        return next((mail for mail in list(self.mails) if mail.number == number), None)

    def to(self, address_part: str) -> list[Mail]:
        """Return the newest mails first, those whose recipient holds the words."""
        address_part = address_part.strip().lower()
        return [
            mail for mail in reversed(list(self.mails)) if address_part in mail.recipient.lower()
        ]

    def close(self) -> None:
        """Write what is still to be written."""
        self._to_write.put(None)
        self._writer.join(10)


def read(path: Path) -> Mail:
    """Return the mail of one file; its first two lines are the envelope."""
    sender, recipient, raw = path.read_bytes().split(b"\r\n", 2)
    at = datetime.fromtimestamp(path.stat().st_mtime).astimezone()
    return_path = sender.decode().removeprefix("Return-Path: <").removesuffix(">")
    return Mail(
        int(path.stem), return_path, recipient.decode().removeprefix("Delivered-To: "), at, raw
    )
