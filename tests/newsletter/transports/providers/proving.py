"""What each provider can do, found out by sending through it; docs/providers.md is made of this."""

from dataclasses import dataclass

from newsletter.transports import Outcome, Unavailable
from newsletter.transports.base import Message
from newsletter.transports.providers import PROVIDERS, checklist
from tests.newsletter.mails import parsed
from tests.newsletter.transports.providers.contracts import (
    NAMES,
    SAYS_WHO,
    Provider,
    letters,
    mail,
    read,
    says_no,
    wire,
)
from tests.newsletter.transports.providers.recording import Reply, Script, recording
from tests.newsletter.transports.providers.seen import Seen

PLACEHOLDERS = "{{ x }} %recipient.name% [[var:a]] *|FNAME|*"


@dataclass(frozen=True)
class Proof:
    """What was seen when one provider was sent through."""

    name: str
    header: str
    body: str
    reference: str
    tracking: str
    placeholders: str
    most: int
    refusal: str
    silence: str
    repeats: str
    wrong_key: str
    limit: str
    fault: str


def proven(name: str) -> Proof:
    """Send through one provider in every way the page tells of."""
    seens, most = _three(name)
    reference = "metadata" if PROVIDERS[name].reference == "metadata" else "tag"
    lost, calls = _against(name, lambda call: Reply(0), [mail(1)])
    return Proof(
        name=name,
        header=_header(name, seens),
        body="own" if len({seen.html for seen in seens}) == 3 else "shared",
        reference=reference if all(seen.reference for seen in seens) else "none",
        tracking={"off": "off in each call", "silent": "off in the account"}[seens[0].tracking],
        placeholders=_placeholders(name),
        most=most,
        refusal=_refusal(name),
        silence=lost,
        repeats=f"{calls} calls, one key" if calls > 1 else "never",
        wrong_key=_against(name, lambda call: says_no(name, 401, "no"), [mail(1)])[0],
        limit=_against(name, lambda call: _slow(name), [mail(1)])[0],
        fault=_against(name, lambda call: says_no(name, 500, "sorry"), [mail(1)])[0],
    )


def _three(name: str) -> tuple[list[Seen], int]:
    """Send three mails; return what was seen, and how many went in the largest call."""
    provider = Provider(name)
    with recording(provider) as api, wire(name, api) as transport:
        assert {outcome.state for outcome in transport.send(letters(3))} == {"sent"}
        seens = list(provider.seen)
        first = mail(1)
        many = [first._replace(delivery=number) for number in range(PROVIDERS[name].batch + 1)]
        list(transport.send(many))
        return seens, max(len(read(name, call)) for call in api.calls)


def _header(name: str, seens: list[Seen]) -> str:
    """Say whose one-click header each mail had, and whether all our fields were handed over."""
    messages = letters(3)
    own = [str(parsed(message.data)["List-Unsubscribe"]) for message in messages]
    assert [seen.headers["list-unsubscribe"] for seen in seens] == own
    assert [seen.headers["message-id"] for seen in seens] == [
        str(parsed(message.data)["Message-ID"]) for message in messages
    ]
    kinds = {"plan": "own, by plan", "no": "own, but replaced"}
    return kinds.get(PROVIDERS[name].unsubscribe, "own")


def _placeholders(name: str) -> str:
    provider = Provider(name)
    with recording(provider) as api, wire(name, api) as transport:
        [outcome] = transport.send([mail(1, name=PLACEHOLDERS)])
        if outcome.state == "failed":
            assert not api.calls
            return "refused before the call"
        assert PLACEHOLDERS in provider.seen[0].text
        return "as written" if b"heed_oo" not in api.calls[0].body else "as written, escaped"


def _refusal(name: str) -> str:
    """Say how one bad address of three is refused, having checked that it is the only one."""
    provider = Provider(name, bad={"r2@example.org"})
    with recording(provider) as api, wire(name, api) as transport:
        outcomes = {outcome.delivery: outcome.state for outcome in transport.send(letters(3))}
        assert outcomes == {1: "sent", 2: "failed", 3: "sent"}
        if PROVIDERS[name].batch > 1 and len(api.calls) > 1:
            return "the whole call; cut until the bad one stands alone"
    if name in SAYS_WHO:
        return "named in the answer"
    return "its own call, by an error"


def _slow(name: str) -> Reply:
    return says_no(name, 429, "slow down", **{"Retry-After": "37"})


def _against(name: str, script: Script, messages: list[Message]) -> tuple[str, int]:
    """Send against a script; say what came of it, and after how many calls."""
    outcomes: list[Outcome] = []
    with recording(script) as api, wire(name, api) as transport:
        try:
            outcomes += transport.send(messages)
            after = ""
        except Unavailable as away:
            after = f", rests {away.retry_after} s" if away.retry_after else ", sender stopped"
            outcomes = [Outcome(1, "unsent", away.code, "", away.words)]
        return outcomes[0].state + after, len(api.calls)


def page() -> str:
    """Return docs/providers.md."""
    proofs = [proven(name) for name in NAMES]
    return "\n".join([*_INTRODUCTION, *_first(proofs), *_second(proofs), *_notes()]) + "\n"


_INTRODUCTION = [
    "# Mail providers",
    "",
    "Made by the contract tests (`tests/newsletter/transports/providers/`), which send through all",
    "of them to a real HTTP server: every cell of the two tables was seen there. Make it anew with",
    "`WRITE_PAGE=1 python -m pytest tests/newsletter/transports/providers/test_provider_table.py`;",
    "a test fails while it is out of date. What a provider does behind its API nobody can prove",
    "here; what its own documentation says of that stands under the tables.",
    "",
    "Each mail is rendered here and handed over whole: text, HTML, and all our header fields",
    "(List-Unsubscribe, List-Unsubscribe-Post, List-Id, Feedback-ID, Message-ID, Auto-Submitted).",
    "Only Date and the MIME fields are the provider's own. The one thing a provider is told about",
    "a delivery is an opaque token. Domains in other scripts travel as A-labels.",
    "",
]


def _first(proofs: list[Proof]) -> list[str]:
    return [
        "## What reaches a reader",
        "",
        "| provider | one-click header | text and HTML | token travels as | its tracking | "
        "`{{ x }}`, `%recipient.x%`, `[[var:x]]`, `*\\|X\\|*` |",
        "|---|---|---|---|---|---|",
        *(
            f"| {PROVIDERS[proof.name].label} | {proof.header} | {proof.body} | {proof.reference} "
            f"| {proof.tracking} | {proof.placeholders} |"
            for proof in proofs
        ),
        "",
    ]


def _second(proofs: list[Proof]) -> list[str]:
    return [
        "## Calls and answers",
        "",
        "| provider | messages in a call | one bad address | no answer | lost call repeated | "
        "401 | 429, Retry-After 37 | 500 |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {PROVIDERS[proof.name].label} | {proof.most} | {proof.refusal} | {proof.silence} | "
            f"{proof.repeats} | {proof.wrong_key} | {proof.limit} | {proof.fault} |"
            for proof in proofs
        ),
        "",
        "*unsent*: safe to send again, and it is. *deferred*: tried again later. *unknown*: waits",
        "for a person. *failed*: refused for good. Where a batch is refused as a whole nothing of",
        "it was accepted, so it is cut in two until the bad one stands alone.",
        "",
    ]


def _notes() -> list[str]:
    lines = ["## What to know of each", ""]
    for name in NAMES:
        provider = PROVIDERS[name]
        lines += [f"**{provider.label}** (`{name}`)", ""]
        lines += [
            f"- {capability.words}" for capability in checklist(name) if not capability.passed
        ]
        if provider.batch > 1:
            size = f"{provider.batch} messages and {provider.batch_bytes // 1024**2} MB"
            lines.append(f"- Batches of up to {size}, each mail with own fields, token and body.")
        else:
            lines.append(f"- One mail per call. {provider.why_single}")
        if provider.idempotency:
            lines.append(f"- A repeated call is recognised for {provider.idempotency}.")
        lines.append("")
    return lines[:-1]
