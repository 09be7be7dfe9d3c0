"""The mailbox providers that take mail: which of them a domain is with, what replies mean."""
