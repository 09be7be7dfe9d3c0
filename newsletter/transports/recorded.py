"""A conversation with a mail server kept line by line, without a word of what is secret in it."""

import re
import socket
from typing import Final

from newsletter.transports.login import BULLETS, credentials, masked
from newsletter.transports.replies import redacted
from newsletter.transports.settings import SmtpSettings
from newsletter.transports.wire import Broken, Wire

LINES_AT_MOST: Final = 200
_AUTH: Final = re.compile(r"(AUTH\s+\S+)(?:\s+.*)?", re.IGNORECASE)


class Conversation:
    """What was said, by whom: "we", "server" or "" for what happened without words."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.lines: list[tuple[str, str]] = []
        self._secrets = credentials(settings)
        self._is_signing_in = False
        self._rest = ""

    def add(self, who: str, text: str) -> None:
        """Keep one line, cleaned and cut; addresses of people are left out of it."""
        text = masked(text, self._secrets)
        if len(self.lines) < LINES_AT_MOST:
            self.lines.append((who, redacted(text) if who == "server" else text[:500]))

    def sent(self, data: bytes) -> None:
        """Keep what we said: commands as they are, credentials masked, a mail as its size."""
        if data.endswith(b"\r\n.\r\n") and data.count(b"\r\n") > 2:
            self.add("we", f"(the mail, {len(data)} octets)")
            return
        for line in data.decode("utf-8", "replace").splitlines():
            command = _AUTH.fullmatch(line)
            if command:
                self._is_signing_in = True
                self.add("we", command[1] + (f" {BULLETS}" if command[1] != line else ""))
            else:
                self.add("we", BULLETS if self._is_signing_in and line != "*" else line)

    def received(self, data: bytes) -> None:
        """Keep what the server said; a challenge is masked, it is half of a secret."""
        *lines, self._rest = (self._rest + data.decode("utf-8", "replace")).split("\n")
        for line in lines:
            is_challenge = self._is_signing_in and line.startswith("334")
            self._is_signing_in = self._is_signing_in and is_challenge
            self.add("server", f"334 {BULLETS}" if is_challenge else line.rstrip())


class RecordedWire(Wire):
    """A wire whose words are kept."""

    __slots__ = ("_conversation",)

    def __init__(
        self,
        address: tuple[socket.AddressFamily, tuple[object, ...]],
        conversation: Conversation,
    ) -> None:
        self._conversation = conversation
        conversation.add("", f"connecting to {address[1][0]}, port {address[1][1]}")
        super().__init__(address)

    def finish_connecting(self) -> None:
        """Note that the connection stands, or why it does not."""
        try:
            super().finish_connecting()
        except Broken as problem:
            self._conversation.add("", str(problem))
            raise
        self._conversation.add("", "connected")

    def shake(self) -> None:
        """Note that TLS was agreed, or why it was not."""
        try:
            super().shake()
        except Broken as problem:
            self._conversation.add("", str(problem))
            raise
        if not self.is_shaking:
            self._conversation.add("", "TLS agreed, the certificate proves the name")

    def receive(self) -> bytes:
        """Keep what has arrived."""
        data = super().receive()
        self._conversation.received(data)
        return data

    def put(self, data: bytes) -> None:
        """Keep what is to leave."""
        self._conversation.sent(data)
        super().put(data)
