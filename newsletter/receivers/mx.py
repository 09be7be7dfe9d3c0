"""Ask DNS who runs a domain's mail, some domains at a time, and keep the answer."""

import asyncio
import logging
from datetime import timedelta
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
import redis
from django.db import DatabaseError, OperationalError, transaction
from django.utils.timezone import now

from newsletter.models import Receiver, ReceivingDomain
from newsletter.receivers import well_known
from newsletter.receivers.lookup import NOTED, UNANSWERED
from redis_store.connection import server

log = logging.getLogger(__name__)

DOMAINS_AT_ONCE = 50
"""Questions under way at a time."""
DOMAIN_SECONDS = 2.0
"""Seconds for one domain, tries included."""
DOMAINS_A_CALL = 100
"""Domains of one call: at most DOMAINS_A_CALL / DOMAINS_AT_ONCE × DOMAIN_SECONDS seconds."""
FORGOTTEN_AFTER = timedelta(days=30)
"""A domain nobody was written to for so long is forgotten: it may be a person's own."""


def look_up_noted(
    limit: int = DOMAINS_A_CALL, *, resolver: dns.asyncresolver.Resolver | None = None
) -> int:
    """Look up domains that were noted while sending; return how many. Never raises for DNS.

    Several callers at once take different domains. What cannot be found out is kept as REST, so
    that it is not asked about each time.
    """
    _forget_old()
    try:
        names: Any = server().spop(NOTED, limit) or []
        domains = [name.decode() for name in names]
        asking = resolver or dns.asyncresolver.Resolver()
    except (redis.RedisError, dns.resolver.NoResolverConfiguration) as away:
        log.warning("no domain can be looked up: %s", type(away).__name__)
        return 0
    if domains:
        _keep(asyncio.run(_ask_all(asking, domains)))
    return len(domains)


async def _ask_all(
    resolver: dns.asyncresolver.Resolver, domains: list[str]
) -> list[ReceivingDomain]:
    gate = asyncio.Semaphore(DOMAINS_AT_ONCE)

    async def ask(domain: str) -> ReceivingDomain:
        async with gate:
            try:
                return await _ask(resolver, domain)
            except Exception as fault:  # one odd domain or answer must not lose the others
                log.warning("a domain cannot be looked up: %s", type(fault).__name__)
                return ReceivingDomain(
                    domain=domain, receiver=Receiver.REST, looked_up_at=now(), mx=UNANSWERED
                )

    return await asyncio.gather(*(ask(domain) for domain in domains))


async def _ask(resolver: dns.asyncresolver.Resolver, domain: str) -> ReceivingDomain:
    """Return what the MX of one domain say: the first of a receiver we know, in their order."""
    receiving_domain = ReceivingDomain(domain=domain, receiver=Receiver.REST, looked_up_at=now())
    try:
        answer = await resolver.resolve(domain, "MX", lifetime=DOMAIN_SECONDS, search=False)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong):
        return receiving_domain
    except (dns.exception.DNSException, OSError, UnicodeError):
        receiving_domain.mx = UNANSWERED
        return receiving_domain
    hosts = [str(record.exchange).rstrip(".") for record in sorted(answer, key=_preference)]
    for host in hosts:
        receiver = well_known.by_mx(host)
        if receiver != Receiver.REST:
            receiving_domain.receiver, receiving_domain.mx = receiver, host[:253]
            return receiving_domain
    receiving_domain.mx = hosts[0][:253] if hosts else ""
    return receiving_domain


def _preference(record: object) -> int:
    return int(getattr(record, "preference", 0))


def _keep(receiving_domains: list[ReceivingDomain]) -> None:
    """Write what was found in one statement; where that fails, each alone as far as it can be."""
    try:
        with transaction.atomic():
            _write(receiving_domains)
    except OperationalError:  # the database itself
        raise
    except (DatabaseError, ValueError) as fault:
        if len(receiving_domains) == 1:
            log.warning("a domain cannot be kept: %s", type(fault).__name__)
            return
        for receiving_domain in receiving_domains:
            _keep([receiving_domain])


def _write(receiving_domains: list[ReceivingDomain]) -> None:
    ReceivingDomain.objects.bulk_create(
        sorted(receiving_domains, key=lambda receiving_domain: receiving_domain.domain),
        update_conflicts=True,
        unique_fields=["domain"],
        update_fields=["receiver", "mx", "looked_up_at"],
    )


def _forget_old() -> None:
    ReceivingDomain.objects.filter(looked_up_at__lt=now() - FORGOTTEN_AFTER).delete()
