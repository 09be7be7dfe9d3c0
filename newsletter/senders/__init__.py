"""The identities mail leaves under: whose server takes it, how fast a new one may."""
