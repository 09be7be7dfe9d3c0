"""Fragments of SQL about one person, for the statements of packages above.

A fragment is a subquery with named columns; `person` is SQL (the column with the person's id), so
that what stands now is asked in the very statement that writes, and no other package names a table
of this one.
"""


def measurable(person: str) -> str:
    """Return the fragment of what may be measured of a person now: opens, clicks (L-45)."""
    return (
        "(SELECT free AND opens = 'granted' AS opens, free AND clicks = 'granted' AS clicks"
        " FROM (SELECT opens, clicks, erased_at IS NULL AND restricted_at IS NULL AS free"
        f" FROM registrants_registrant WHERE id = {person} LIMIT 1) AS registrant)"
    )


def named(person: str) -> str:
    """Return the fragment of who a person is: address, name."""
    return f"(SELECT address, name FROM registrants_registrant WHERE id = {person})"
