"""How staff sign in: limits, passwords, a forgotten one, and asking for it again."""
