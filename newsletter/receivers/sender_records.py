"""What DNS says of the domains a sender uses: SPF, DKIM, DMARC and MX, each with a verdict."""

import asyncio
import re
from typing import Final, NamedTuple

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver

RECORD_SECONDS: Final = 3.0
SELECTOR: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,60}[A-Za-z0-9])?")
RECORD_SHOWN: Final = 300


class DnsVerdict(NamedTuple):
    """One record: whether it is as it should be (None: nobody knows), and in which words."""

    name: str
    is_good: bool | None
    explanation: str
    record: str = ""


class _Unanswered(Exception):
    """No name server answered."""


def look_up(
    domain: str,
    bounce_domain: str,
    selector: str = "",
    *,
    resolver: dns.asyncresolver.Resolver | None = None,
) -> list[DnsVerdict]:
    """Return the verdicts on a From domain and the domain bounces come back to, as A-labels."""
    return asyncio.run(_look_up(domain, bounce_domain, selector, resolver))


async def _look_up(
    domain: str, bounce_domain: str, selector: str, resolver: dns.asyncresolver.Resolver | None
) -> list[DnsVerdict]:
    try:
        asking = resolver or dns.asyncresolver.Resolver()
    except dns.resolver.NoResolverConfiguration:
        return [DnsVerdict("DNS", None, "This machine knows no name server to ask.")]
    questions = [_spf(asking, bounce_domain), _dmarc(asking, domain)]
    if selector:
        questions.insert(1, _dkim(asking, domain, selector))
    questions += [_mx(asking, name) for name in dict.fromkeys((domain, bounce_domain))]
    return list(await asyncio.gather(*questions))


async def _spf(asking: dns.asyncresolver.Resolver, domain: str) -> DnsVerdict:
    """RFC 7208 §3.1, §4.5: one record; it is asked of the domain bounces come back to."""
    name = f"SPF of {domain}"
    try:
        records = await _texts(asking, domain, "v=spf1")
    except _Unanswered:
        return _unanswered(name)
    if not records:
        reason = "There is none: receivers cannot tell that this server may send for the domain."
        return DnsVerdict(name, False, reason)
    if len(records) > 1:
        return DnsVerdict(name, False, "There are several: receivers take that for an error.")
    last = records[0].lower().split()[-1]
    if last in ("+all", "all"):
        reason = "It lets everybody send for the domain."
        return DnsVerdict(name, False, reason, records[0][:RECORD_SHOWN])
    reason = "There is one; see that it names the server this sender uses."
    return DnsVerdict(name, True, reason, records[0][:RECORD_SHOWN])


async def _dkim(asking: dns.asyncresolver.Resolver, domain: str, selector: str) -> DnsVerdict:
    """RFC 6376 §3.6.1: a key under the selector; an empty one was revoked."""
    name = f"DKIM key {selector} of {domain}"
    try:
        records = await _texts(asking, f"{selector}._domainkey.{domain}", "")
    except _Unanswered:
        return _unanswered(name)
    keys = [record for record in records if re.search(r"(?:^|;)\s*p\s*=", record)]
    if len(keys) != 1:
        reason = "There is no key under this selector." if not keys else "There are several keys."
        return DnsVerdict(name, False, reason)
    if re.search(r"(?:^|;)\s*p\s*=\s*(?:;|$)", keys[0]):
        return DnsVerdict(name, False, "The key was revoked: it is empty.", keys[0][:RECORD_SHOWN])
    reason = "There is a key; whether mail is signed with it shows in the trial mail's source."
    return DnsVerdict(name, True, reason, keys[0][:RECORD_SHOWN])


async def _dmarc(asking: dns.asyncresolver.Resolver, domain: str) -> DnsVerdict:
    """RFC 7489 §6.6.3: one record of the domain, or of one above it."""
    labels = domain.split(".")
    for start in range(max(1, len(labels) - 1)):
        above = ".".join(labels[start:])
        name = f"DMARC of {above}"
        try:
            records = await _texts(asking, f"_dmarc.{above}", "v=dmarc1")
        except _Unanswered:
            return _unanswered(name)
        if len(records) > 1:
            return DnsVerdict(name, False, "There are several: receivers take none of them.")
        if records:
            policy = re.search(r"(?:^|;)\s*p\s*=\s*(none|quarantine|reject)\b", records[0], re.I)
            if policy is None:
                return DnsVerdict(name, False, "It names no policy.", records[0][:RECORD_SHOWN])
            reason = f"There is one; its policy is {policy[1].lower()}."
            return DnsVerdict(name, True, reason, records[0][:RECORD_SHOWN])
    reason = "There is none: Gmail, Yahoo and Microsoft refuse mail to many without one."
    return DnsVerdict(f"DMARC of {domain}", False, reason)


async def _mx(asking: dns.asyncresolver.Resolver, domain: str) -> DnsVerdict:
    """RFC 5321 §5.1, RFC 7505: where answers and bounces go."""
    name = f"MX of {domain}"
    try:
        answer = await asking.resolve(domain, "MX", lifetime=RECORD_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong):
        reason = "There is none: answers and bounces cannot come back, and some receivers refuse."
        return DnsVerdict(name, False, reason)
    except (dns.exception.DNSException, OSError, UnicodeError):
        return _unanswered(name)
    hosts = [str(record.exchange).rstrip(".") for record in answer]
    if not any(hosts):
        return DnsVerdict(name, False, "It says that the domain takes no mail at all.")
    return DnsVerdict(name, True, "Mail can come back.", ", ".join(hosts)[:RECORD_SHOWN])


async def _texts(asking: dns.asyncresolver.Resolver, name: str, begins: str) -> list[str]:
    """Return the texts of a name that begin so; raises _Unanswered."""
    try:
        answer = await asking.resolve(name, "TXT", lifetime=RECORD_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong):
        return []
    except (dns.exception.DNSException, OSError, UnicodeError):
        raise _Unanswered from None
    texts = [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
    return [text for text in texts if re.match(rf"{begins}(?:[ ;]|$)", text, re.I) or not begins]


def _unanswered(name: str) -> DnsVerdict:
    return DnsVerdict(name, None, "No name server answered; ask again later.")
