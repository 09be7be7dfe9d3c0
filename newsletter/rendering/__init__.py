"""A compiled mail and a person become the bytes of one message."""
