"""Which certificates are trusted, and which are shown."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from digestbot.registry.failures import Failure, FailureError
from digestbot.registry.settings import HostSettings

# The names that requests and curl know; OpenSSL itself reads SSL_CERT_FILE and SSL_CERT_DIR.
_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def make_context(host: HostSettings, fallback: str) -> ssl.SSLContext:
    """A TLS context for one host.

    Trusted are the authorities configured for the host, else those of the environment, else
    the system's, else those in the file `fallback`: slim containers have none of their own.

    Raises:
        FailureError: A file cannot be used.
    """
    bundle = host.ca_file or next(filter(None, map(os.environ.get, _VARIABLES)), "")
    try:
        context = _trusting(bundle) if bundle else _trusting_system(fallback)
        if host.client_cert:
            context.load_cert_chain(host.client_cert, host.client_key or None)
    except OSError as error:
        files = ", ".join(filter(None, (bundle, host.client_cert, host.client_key)))
        what = f"has certificates configured that cannot be used: {error.strerror or error}"
        raise FailureError(Failure("tls", what, f"check {files}")) from error
    return context


def _trusting(bundle: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if Path(bundle).is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context


def _trusting_system(fallback: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(cafile=fallback)
    return context
