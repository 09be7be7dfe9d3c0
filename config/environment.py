"""What the environment must say, read once, with every fault named at the same time."""

import base64
import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from registrants.tokens import LINK_HOST_LONGEST


def read_key(text: str) -> bytes:
    """Return the 32 bytes of a base64url key; raise ValueError where it is not one."""
    key = base64.urlsafe_b64decode(text.strip() + "=" * (-len(text.strip()) % 4))
    if len(key) != 32:
        raise ValueError("a key is 32 bytes, written in base64url")
    return key


def read_keys(text: str) -> dict[int, bytes]:
    """Return version → key of "1:<base64url>,2:<base64url>"; the highest makes, all read."""
    keys = {}
    for part in text.split(","):
        version, _, key = part.partition(":")
        if not version.strip().isdigit() or not 1 <= int(version) <= 255:
            raise ValueError('keys are written "1:<base64url>,2:<base64url>", versions 1 to 255')
        keys[int(version)] = read_key(key)
    return keys


class Environment(BaseSettings):
    """The settings of one installation, by the names of their environment variables."""

    model_config = SettingsConfigDict(env_prefix="HEED_", extra="ignore")

    database_url: str = Field(validation_alias="DATABASE_URL")
    redis_url: str = Field(validation_alias="REDIS_URL")
    email_url: str = Field(default="smtp://127.0.0.1:25", validation_alias="EMAIL_URL")
    public_url: str
    secret_key: SecretStr
    link_keys: SecretStr
    address_key: SecretStr
    secrets_keys: SecretStr
    staff_hosts: str = ""
    trusted_proxies: int | None = Field(default=None, ge=0, le=8)
    client_address_header: str = "X-Forwarded-For"
    scheme_header: str = "X-Forwarded-Proto"
    system_address: str = ""
    demo: bool = False
    debug: bool = False
    notes_folder: str = ""
    metrics_token: SecretStr = SecretStr("")

    @field_validator("link_keys", "secrets_keys")
    @classmethod
    def _key_sets(cls, value: SecretStr) -> SecretStr:
        read_keys(value.get_secret_value())
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

    @field_validator("metrics_token")
    @classmethod
    def _token_is_not_guessed(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 20:
            raise ValueError("a token for the metrics has at least 20 characters; empty: none")
        return value

    @field_validator("address_key")
    @classmethod
    def _single_key(cls, value: SecretStr) -> SecretStr:
        read_key(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _public_url_is_fit_for_links(self) -> "Environment":
        parts = urlsplit(self.public_url)
        allowed = {"https", "http"} if self.demo else {"https"}
        if parts.scheme not in allowed or not parts.hostname:
            raise ValueError(
                "HEED_PUBLIC_URL must start with https:// (RFC 8058 §3.1: mail programs ignore"
                " one-click links that do not); plain http is for the embedded demo only"
            )
        if parts.path.strip("/") or parts.query or len(parts.netloc) > LINK_HOST_LONGEST:
            raise ValueError(
                f"HEED_PUBLIC_URL is a host of at most {LINK_HOST_LONGEST} characters without a"
                " path, so that every link stays within 75 characters"
            )
        return self
