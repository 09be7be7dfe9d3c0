"""How passwords of staff are kept: Argon2id, at the cost OWASP names (19 MiB, two passes)."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """A fifth of the memory Django takes, so that several sign-ins at once fit a small machine."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
