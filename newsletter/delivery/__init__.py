"""From a mailing to the wire: staging, leases, claims, a worker's run, and what became of it."""
