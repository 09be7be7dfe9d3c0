"""Public pages that end in a letter or begin with one: sign-up, confirm, your choices."""
