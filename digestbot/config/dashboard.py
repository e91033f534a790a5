"""The section of the configuration about the dashboard: who may look, and who may act."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from digestbot.config.fields import (
    Duration,
    FilePath,
    HeaderName,
    Many,
    Model,
    Network,
    SiteUrl,
    Slug,
    Text,
    Variable,
)

MOST_USERS = 100
ANYBODY = "*"
_PORTS = {"https": ":443", "http": ":80"}
_SHORTEST, _LONGEST = timedelta(minutes=1), timedelta(days=90)


class UserConfig(Model):
    """Somebody who signs in with a token of their own."""

    # The same pair as _check_pair, for editors.
    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["token_env"]}, {"required": ["token_file"]}]}
    )

    name: Slug = Field(description="What the dashboard and the log call them.")
    role: Literal["reader", "operator"] = Field(
        default="reader", description="A reader looks; an operator may also ask for something."
    )
    token_env: Variable | None = Field(
        default=None,
        description="Name of the environment variable that holds their token: 20 characters or "
        "more, such as `openssl rand -hex 32` makes. Another token ends their sessions.",
    )
    token_file: FilePath | None = Field(default=None, description="File that holds their token.")

    @model_validator(mode="after")
    def _check_pair(self) -> Self:
        if (self.token_env is None) == (self.token_file is None):
            raise ValueError("needs token_env or token_file, and not both")
        return self


class ProxyConfig(Model):
    """A reverse proxy in front of the dashboard, and what it is believed."""

    # The same pairs as _check_names, for editors.
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"required": ["header"]},
            "then": {"anyOf": [{"required": ["operators"]}, {"required": ["readers"]}]},
            "else": {"not": {"anyOf": [{"required": ["operators"]}, {"required": ["readers"]}]}},
        }
    )

    addresses: Many[Network] = Field(
        json_schema_extra={"minItems": 1},
        description="From where it asks: `10.1.2.3`, `10.0.0.0/8`, `fd00::/8`. What anybody "
        "sends from there is believed, so name nothing but the proxy.",
    )
    header: HeaderName | None = Field(
        default=None,
        description="The header in which it says who is signed in: `X-Forwarded-User`. The proxy "
        "must drop what its clients send by that name. Without it the proxy is only believed "
        "whether it was asked by https (`X-Forwarded-Proto`) and from where (`X-Forwarded-For`).",
    )
    operators: Many[Text] = Field(
        default=(), description='Who may look and act, by exact name; `"*"` is whoever it names.'
    )
    readers: Many[Text] = Field(
        default=(), description='Who may look, by exact name; `"*"` is whoever it names.'
    )

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        if not self.addresses:
            raise ValueError("needs at least one address")
        has_names = bool(self.operators or self.readers)
        if has_names and self.header is None:
            raise ValueError("has operators or readers, but no header that says who asks")
        if self.header is not None and not has_names:
            raise ValueError("has a header, but neither operators nor readers")
        return self


class DashboardConfig(Model):
    """The pages that show what the service knows."""

    enabled: bool = Field(default=True, description="Whether `digestbot serve` has a dashboard.")
    url: SiteUrl | None = Field(
        default=None,
        description="Where people reach it: `https://digestbot.example.com`, without a path. With "
        "it, badges to be pasted and notifications link there, and forms that come from there are "
        "taken even if a reverse proxy does not pass on `Host`.",
    )
    users: Many[UserConfig] = Field(
        default=(),
        description="Who signs in with a token. Without users and without a proxy the dashboard "
        "is there only where `service.listen` is a loopback address, for whoever can reach it, "
        "to look and not to act.",
    )
    proxy: ProxyConfig | None = Field(
        default=None, description="A reverse proxy that says who is signed in."
    )
    public_badges: Many[Text] = Field(
        default=(),
        description="Repos whose badges anybody may see, signed in or not, as globs on their "
        "whole names: `acme/site`, `acme/*`. With any, the badge of the fleet is for anybody, too. "
        "Who asks for another repo's hears the same whether it is watched or not.",
    )
    session: Duration = Field(
        default=timedelta(hours=12),
        json_schema_extra={"default": "12h"},
        description="How long somebody stays signed in, from `1m` to `90d`.",
    )
    target: Duration = Field(
        default=timedelta(days=7),
        json_schema_extra={"default": "7d"},
        description="How long a pin may be behind, as a line in the plots.",
    )

    @property
    def origin(self) -> str:
        """The `url` as browsers write it in `Origin`; empty where there is nothing to link to."""
        if self.url is None or not self.enabled:
            return ""
        scheme, _, host = self.url.lower().rstrip("/").partition("://")
        return f"{scheme}://{host.removesuffix(_PORTS[scheme])}"

    @model_validator(mode="after")
    def _check(self) -> Self:
        for name, count in Counter(user.name for user in self.users).items():
            if count > 1:
                raise ValueError(f"has {count} users who are called {name}")
        if len(self.users) > MOST_USERS:
            raise ValueError(f"has more than {MOST_USERS} users; let a proxy say who they are")
        if not _SHORTEST <= self.session <= _LONGEST:
            raise ValueError("has a session that is not between 1m and 90d")
        if self.proxy is not None and self.proxy.header is None and not self.users:
            raise ValueError("has a proxy without header, and no users: nobody could sign in")
        return self
