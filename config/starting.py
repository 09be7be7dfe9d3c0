"""What a process that serves makes sure of at its start; migrations and checks ask none of it."""

import logging
import sys

import redis
from django.db import DatabaseError, OperationalError, connections

from accountability import key_fingerprints
from redis_store.connection import server

log = logging.getLogger(__name__)

DATABASE_WORDS = {
    "authentication failed": "the server refuses this name or password",
    "does not exist": "the server has no database, or no role, of this name",
    "certificate": "the server's certificate is not trusted",
}
"""What PostgreSQL says while connecting, and what we say: its words may repeat what is typed."""
DATABASE_AWAY = "no PostgreSQL answers there; is it running, and are host and port right?"


def make_sure() -> None:
    """End this process with a sentence where it must not serve: database, keys or Redis are wrong.

    A Redis that does not answer is said and waited for: readers' links work without it.
    """
    try:
        warnings = key_fingerprints.settle()
    except key_fingerprints.WrongKeys as fault:
        sys.exit(f"The keys do not belong to this database:\n{fault}")
    except OperationalError as fault:
        sys.exit(f"DATABASE_URL: {_in_our_words(fault)}")
    except DatabaseError:
        sys.exit("The database is not migrated yet: run `python manage.py migrate` first.")
    finally:
        connections.close_all()
    for warning in warnings:
        log.warning("%s", warning)
    _ask_redis()


def _in_our_words(fault: Exception) -> str:
    text = str(fault)
    return next((ours for theirs, ours in DATABASE_WORDS.items() if theirs in text), DATABASE_AWAY)


def _ask_redis() -> None:
    try:
        server().ping()
    except redis.AuthenticationError:
        sys.exit("REDIS_URL: the server refuses this name or password, or wants one")
    except (redis.ConnectionError, redis.TimeoutError) as away:
        if "certificate" in str(away).lower():
            sys.exit(
                "REDIS_URL: the server's certificate is not trusted; HEED_REDIS_CA names the file"
                " of an authority of your own"
            )
        log.warning("REDIS_URL: no Redis answers there yet; what needs it waits")
    except redis.RedisError:
        sys.exit("REDIS_URL: the server has no database of this number, or does not let us use it")
    finally:
        server().connection_pool.disconnect()
