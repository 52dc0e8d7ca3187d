"""The section `[web]`: under which address people reach the newsroom, and who says who they are."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from crawler.config.base import ConfigSection
from crawler.text.urls import resolve_url

UserRole = Literal["reader", "analyst", "owner"]


class OidcConfig(ConfigSection):
    """Sign-in with an organisation's accounts (OpenID Connect). Without `issuer` there is none."""

    issuer: str | None = Field(None, description="address of the provider, as its own configuration names it")
    client_id: str = Field("", description="name under which the provider knows this newsroom")
    client_secret: SecretStr | None = Field(None, description="only as CRAWLER_WEB__OIDC__CLIENT_SECRET")
    scope: str = Field("openid profile email", description="what is asked of the provider")
    name_claim: str = Field("preferred_username", description="claim with the user's name")
    groups_claim: str = Field("groups", description="claim with the user's groups or roles")
    groups: dict[str, UserRole] = Field(default_factory=dict, description="role of each group")

    @field_validator("issuer")
    @classmethod
    def _validate_issuer(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError("must begin with http:// or https://")
        return value

    @model_validator(mode="after")
    def _validate_client(self) -> Self:
        if self.issuer is not None and not (self.client_id and self.groups):
            raise ValueError('issuer also needs client_id and groups, such as { "newsroom" = "analyst" }')
        return self


class WebConfig(ConfigSection):
    """How `crawler serve` is reached from other computers."""

    address: str | None = Field(None, description="address in the browser, such as https://news.example.org")
    trusted_proxies: tuple[str, ...] = Field((), description="addresses of the proxies in front, or networks")
    remote_user: bool = Field(False, description="a trusted proxy names the user in the header Remote-User")
    analyst_channels: tuple[str, ...] | None = Field(
        None, description="names in [channels] to which analysts may subscribe; the default is all"
    )
    oidc: OidcConfig = OidcConfig()

    @field_validator("address")
    @classmethod
    def _validate_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or resolve_url(value, "") != value:
            raise ValueError("must be an address such as https://news.example.org")
        if parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError("must have no path, no user and no ?: the pages are at the top of a server")
        return value.rstrip("/")

    @field_validator("trusted_proxies")
    @classmethod
    def _validate_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                network = ip_network(each)
            except ValueError:
                raise ValueError(f"{each!r} is no IP address or network, such as 127.0.0.1 or 10.0.0.0/24") from None
            if network.prefixlen == 0:
                raise ValueError(f"{each!r} is every address: then anyone could name any user")
        return value

    @model_validator(mode="after")
    def _validate_sign_in(self) -> Self:
        if self.remote_user and not self.trusted_proxies:
            raise ValueError("remote_user needs trusted_proxies: from others the header is not believed")
        if self.oidc.issuer is not None and self.address is None:
            raise ValueError("oidc needs address: the provider sends people back there")
        return self
