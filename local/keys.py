"""The installation's keys: made once into the data folder, read from there."""

import base64
import os
import secrets
from pathlib import Path

VERSIONED = ("HEED_LINK_KEYS", "HEED_SECRETS_KEYS")


def make() -> dict[str, str]:
    """Return a fresh key for each setting that needs one."""

    def key() -> str:
        return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")

    keys = {name: f"1:{key()}" for name in VERSIONED}
    return keys | {"HEED_ADDRESS_KEY": key(), "HEED_SECRET_KEY": secrets.token_urlsafe(48)}


def kept(folder: Path) -> dict[str, str]:
    """Return the keys of a data folder; what is missing is made and written, mode 0600."""
    path = folder / "keys.env"
    keys = {}
    if path.exists():
        lines = path.read_text().splitlines()
        keys = dict(line.split("=", 1) for line in lines if "=" in line)
    missing = {name: value for name, value in make().items() if name not in keys}
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        keys |= missing
        new = path.with_suffix(".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.writelines(f"{name}={value}\n" for name, value in keys.items())
        new.replace(path)
    return keys


if __name__ == "__main__":
    print("\n".join(f"{name}={value}" for name, value in make().items()))
