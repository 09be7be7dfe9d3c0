"""A mail server in a process of its own, with a mood: it misbehaves in one way, and notes it all.

The mood can be turned while it runs (XMOOD name). What it says with a number keeps that number.
"""

import ssl
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.scripted_smtp import Answer, Close, Moment, ScriptedSmtp, Slow

OK = b"250 2.0.0 Ok\r\n"
LATER = b"451 4.3.2 please come again later\r\n"
NOBODY = b"550 5.1.1 no such person here\r\n"
ENOUGH = b"421 too many messages on this connection\r\n"
SLOW_DOWN = b"421-4.7.28 unusual rate of mail from you\r\n421 4.7.28 try again later\r\n"
GARBAGE = b"\x00\xfe\xffWHAT is this\r\n"


def well(moment: Moment) -> Answer:
    """Take everything."""
    return None


def every_third_later(moment: Moment) -> Answer:
    """Say 451 to every third, in turn at the recipient and at the end of the data."""
    if moment.step == "RCPT" and moment.number % 6 == 3:
        return LATER
    return LATER if moment.step == "end" and moment.number % 5 == 4 else None


def every_tenth_nobody(moment: Moment) -> Answer:
    """Say 550 to every tenth recipient."""
    return NOBODY if moment.step == "RCPT" and moment.number % 10 == 0 else None


def twenty_a_connection(moment: Moment) -> Answer:
    """Say 421 and close after each 20 messages of a connection."""
    return Close(ENOUGH) if moment.step == "MAIL" and moment.accepted_here >= 20 else None


def closes_after_accepting(moment: Moment) -> Answer:
    """Take every 15th message and close without a word."""
    return Close(accepting=True) if moment.step == "end" and moment.number % 15 == 0 else None


def garbles(moment: Moment) -> Answer:
    """Answer some commands, and the end of every 20th message, with what is no SMTP."""
    if moment.step == "MAIL" and moment.number % 17 == 0:
        return Close(GARBAGE)
    if moment.step == "end" and moment.number % 20 == 0:
        return Close(GARBAGE, accepting=True)
    return None


def slow_bytes(moment: Moment) -> Answer:
    """Say every answer to a message byte by byte."""
    return Slow(OK, per_octet=0.01) if moment.step == "end" else None


def drops(moment: Moment) -> Answer:
    """Drop the connection in the middle: of a dialogue, or when every 12th message is out."""
    if moment.step == "RCPT" and moment.number % 19 == 0:
        return Close()
    return Close() if moment.step == "end" and moment.number % 12 == 0 else None


def late(seconds: float) -> Callable[[Moment], Answer]:
    """Take every 15th of the first hundred messages, and say so only after a while."""

    def script(moment: Moment) -> Answer:
        if moment.step == "end" and moment.number % 15 == 0 and moment.number <= 100:
            return Slow(OK, before=seconds)
        return None

    return script


def stalls_at(
    step: str, reply: bytes, *, before: float, after: float = 0.0
) -> Callable[[Moment], Answer]:
    """Stand still at one step of every conversation, before or after answering."""
    return lambda moment: Slow(reply, before, after=after) if moment.step == step else None


def slows_gmail(moment: Moment) -> Answer:
    """Tell Gmail's recipients to slow down, for good."""
    return SLOW_DOWN if moment.step == "RCPT" and "@gmail.com" in moment.line else None


MOODS: dict[str, Callable[[Moment], Answer]] = {
    "well": well,
    "451 on every third": every_third_later,
    "550 on every tenth": every_tenth_nobody,
    "421 after each 20 messages": twenty_a_connection,
    "accepts and closes without answering": closes_after_accepting,
    "garbage": garbles,
    "very slow bytes": slow_bytes,
    "drops STARTTLS in the middle": drops,
    "drops TLS in the middle": drops,
    "answers 250 after 4 s": late(4),
    "answers 250 after 90 s": late(90),
    "stalls at MAIL": stalls_at("MAIL", b"250 2.1.0 Ok\r\n", before=4),
    "hesitates at MAIL": stalls_at("MAIL", b"250 2.1.0 Ok\r\n", before=0.8),
    "stalls in DATA": stalls_at("DATA", b"354 Go ahead\r\n", before=0, after=4),
    "stalls at the end": stalls_at("end", OK, before=4),
    "421 4.7.28 for one receiver": slows_gmail,
}


class Notes:
    """The file of events: "what seconds connection recipient", a line each."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("a", buffering=1)

    def __call__(self, what: str, connection: int, recipient: str) -> None:
        """Write one event down where a kill of this process cannot take it back."""
        self.file.write(f"{what} {time.time():.6f} {connection} {recipient or '-'}\n")


def serve(port: int, notes: Path, mood: str, certificate: str) -> None:
    """Serve until ended."""
    present = {"mood": mood}

    def script(moment: Moment) -> Answer:
        if moment.step == "XMOOD":
            present["mood"] = moment.line.partition(" ")[2]
            return OK if present["mood"] in MOODS else b"501 5.5.4 no such mood\r\n"
        return MOODS[present["mood"]](moment)

    context = None
    if "TLS" in mood:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    server = ScriptedSmtp(
        script,
        server_context=context,
        tls_at_once="drops TLS" in mood,
        told=Notes(notes),
        receive_buffer=4096 if mood.startswith("stalls") else 0,
        port=port,
    )
    with server:
        threading.Event().wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]), Path(sys.argv[2]), *(*sys.argv[3:], "", "")[:2])
