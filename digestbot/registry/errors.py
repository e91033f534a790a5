"""Why a registry gave no answer that can be trusted."""

from __future__ import annotations

from typing import Final

from digestbot.errors import DigestbotError

CODES: Final[dict[str, str]] = {
    # The image.
    "not-found": "The registry knows no such tag or repository.",
    "not-found-or-no-access": "The image is missing, or not for these credentials to see; "
    "the registry does not say which.",
    "platform-missing": "The image exists, but not exactly once for the platform asked for.",
    "schema1": "The image is in Docker's oldest format, whose digest is not that of its bytes.",
    "policy": "A policy of the registry blocks the image.",
    "not-recorded": "The recorded answers do not mention the image.",
    # Logging in.
    "login-required": "The registry answers nobody without a login, and none is stored for it.",
    "unauthorized": "The registry does not accept the username and password.",
    "denied": "The registry refuses the request.",
    "credentials": "The credentials for the registry could not be read.",
    "credential-helper": "The credential helper named for the registry is missing or failed.",
    "untrusted-realm": "The registry sends logins to a host it is not trusted with.",
    "challenge": "The registry asks for a login in a way that cannot be understood.",
    # The way there.
    "unreachable": "The host has no address, or refuses connections.",
    "timeout": "The registry did not answer in time.",
    "tls": "The secure connection could not be made or is not to be trusted.",
    "private-address": "The host is on a private or local network, which is not allowed for it.",
    "redirect": "The registry redirects to where digestbot does not follow.",
    "rate-limited": "The registry has had enough questions for now.",
    "unavailable": "The registry reports a failure of its own.",
    # The answer.
    "not-a-registry": "What answers there is not a registry.",
    "digest-mismatch": "The bytes do not have the digest that was promised for them.",
    "bad-manifest": "The manifest cannot be understood.",
    "answer-too-large": "The answer is larger than anything a registry should send.",
    "unexpected": "The registry gave an answer that fits nothing asked.",
}
"""Every code of a `RegistryError`, with what it means in one sentence."""


class RegistryError(DigestbotError):
    """A lookup failed: `code` is a slug of `CODES`, `host` who was asked."""

    def __init__(self, message: str, *, code: str, host: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.host = host

    def about(self, subject: object) -> RegistryError:
        """The same error, of this image."""
        return RegistryError(f"{subject}: {self}", code=self.code, host=self.host, hint=self.hint)
