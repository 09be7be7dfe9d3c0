"""What the environment must say, read once, with every fault named at the same time."""

import base64
import re
from pathlib import Path

from django.core.exceptions import ValidationError as NotValid
from django.core.validators import validate_email
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from config import server_urls

KEY = re.compile(r"[A-Za-z0-9_-]{43}=?")
SECRET_SHORTEST = 32
"""Characters of the secret key; `python -m local.keys` makes longer ones."""
LIBRARY_FAULTS = {
    "missing": "is missing",
    "bool_parsing": "is 1 or 0",
    "int_parsing": "is a whole number",
    "greater_than_equal": "is too small",
    "less_than_equal": "is too large",
}
"""What to say of faults that the library finds by itself; its own words may repeat the value."""


def read_key(text: str) -> bytes:
    """Return the 32 bytes of a base64url key; raises ValueError where it is not one."""
    text = text.strip()
    if not KEY.fullmatch(text):
        raise ValueError("a key is 32 bytes, written as 43 characters of base64url")
    return base64.urlsafe_b64decode(text.rstrip("=") + "=")


def read_keys(text: str) -> dict[int, bytes]:
    """Return version → key of "1:<base64url>,2:<base64url>"; the highest makes, all read."""
    keys: dict[int, bytes] = {}
    for part in text.split(","):
        version, _, key = part.strip().partition(":")
        if not re.fullmatch(r"[0-9]{1,3}", version) or not 1 <= int(version) <= 255:
            raise ValueError('keys are written "1:<base64url>,2:<base64url>", versions 1 to 255')
        if int(version) in keys:
            raise ValueError("each version of a key stands once")
        keys[int(version)] = read_key(key)
    return keys


class Environment(BaseSettings):
    """The settings of one installation, by the names of their environment variables."""

    model_config = SettingsConfigDict(
        env_prefix="HEED_", extra="ignore", env_ignore_empty=True, validate_default=False
    )

    demo: bool = False
    debug: bool = False
    database_url: str = Field(validation_alias="DATABASE_URL")
    redis_url: str = Field(validation_alias="REDIS_URL")
    redis_ca: str = ""
    email_url: str = Field(default="smtp://127.0.0.1:25", validation_alias="EMAIL_URL")
    public_url: str
    secret_key: SecretStr
    link_keys: SecretStr
    address_key: SecretStr
    secrets_keys: SecretStr
    staff_hosts: str = ""
    https_redirect: bool = False
    hsts_seconds: int = Field(default=0, ge=0, le=63_072_000)
    trusted_proxies: int | None = Field(default=None, ge=0, le=8)
    client_address_header: str = "X-Forwarded-For"
    scheme_header: str = "X-Forwarded-Proto"
    system_address: str = ""
    allowed_private_hosts: str = ""
    notes_folder: str = ""
    metrics_token: SecretStr = SecretStr("")

    @field_validator("debug")
    @classmethod
    def _debugging_is_for_the_demo(cls, value: bool, info: ValidationInfo) -> bool:
        if value and not info.data.get("demo"):
            raise ValueError("shows what is secret to everybody: it is for the embedded demo only")
        return value

    @field_validator("database_url")
    @classmethod
    def _database(cls, value: str) -> str:
        server_urls.database(value)
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: str) -> str:
        return server_urls.redis(value)

    @field_validator("redis_ca")
    @classmethod
    def _authority(cls, value: str, info: ValidationInfo) -> str:
        if value and not str(info.data.get("redis_url", "rediss")).startswith("rediss"):
            raise ValueError("is for a REDIS_URL that begins with rediss://")
        return server_urls.authority(value) if value else ""

    @field_validator("email_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        server_urls.mail(value)
        return value

    @field_validator("allowed_private_hosts")
    @classmethod
    def _hosts_and_networks(cls, value: str) -> str:
        server_urls.private_hosts(value)
        return value

    @field_validator("public_url")
    @classmethod
    def _fit_for_links(cls, value: str, info: ValidationInfo) -> str:
        return server_urls.public(
            value, schemes=("https", "http") if info.data.get("demo") else ("https",)
        )

    @field_validator("secret_key")
    @classmethod
    def _secret_is_long(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value().strip()) < SECRET_SHORTEST:
            raise ValueError(f"has at least {SECRET_SHORTEST} characters")
        return value

    @field_validator("link_keys", "secrets_keys")
    @classmethod
    def _key_sets(cls, value: SecretStr) -> SecretStr:
        read_keys(value.get_secret_value())
        return value

    @field_validator("address_key")
    @classmethod
    def _single_key(cls, value: SecretStr) -> SecretStr:
        read_key(value.get_secret_value())
        return value

    @field_validator("staff_hosts")
    @classmethod
    def _hosts(cls, value: str) -> str:
        return ",".join(server_urls.host(name) for name in value.split(",") if name.strip())

    @field_validator("https_redirect", "hsts_seconds")
    @classmethod
    def _needs_https(cls, value: int, info: ValidationInfo) -> int:
        if value and not str(info.data.get("public_url", "https")).startswith("https"):
            raise ValueError("is for a HEED_PUBLIC_URL that begins with https://")
        return value

    @field_validator("client_address_header", "scheme_header")
    @classmethod
    def _header_is_a_list_of_hops(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9-]+", value) or value.lower() == "forwarded":
            raise ValueError(
                "the name of a header that holds addresses or schemes alone, such as"
                " X-Forwarded-For (not Forwarded, and no name with an underscore)"
            )
        return value

    @field_validator("system_address")
    @classmethod
    def _address(cls, value: str) -> str:
        try:
            validate_email(value)  # it knows localhost too
        except NotValid:
            raise ValueError("an e-mail address alone, such as heed@example.org") from None
        return value

    @field_validator("notes_folder")
    @classmethod
    def _folder(cls, value: str) -> str:
        if Path(value).exists() and not Path(value).is_dir():
            raise ValueError("a folder; there is something else in its place")
        return value

    @field_validator("metrics_token")
    @classmethod
    def _token_is_not_guessed(cls, value: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[!-~]{20,}", value.get_secret_value()):
            raise ValueError(
                "a token has at least 20 characters, printable ones of ASCII; empty: no metrics"
            )
        return value


def faults(error: ValidationError) -> list[str]:
    """Return a sentence for each setting that is missing or wrong, without what it says."""
    sentences = []
    for fault in error.errors(include_input=False, include_url=False):
        name = str(fault["loc"][0])
        name = name if name.isupper() else f"HEED_{name.upper()}"
        own = str(fault["msg"]).removeprefix("Value error, ")
        expected = LIBRARY_FAULTS.get(
            fault["type"], own if fault["type"] == "value_error" else "is wrong"
        )
        sentences.append(f"{name}: {expected}")
    return sentences
