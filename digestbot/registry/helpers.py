"""Credential helpers: the programs `docker-credential-NAME` that keep logins for docker.

The protocol is docker's: `get` with the server on standard input, JSON on standard output.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess

from digestbot.registry.errors import RegistryError
from digestbot.secret import Secret

TIMEOUT_S = 30
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
# What helpers say, on either stream, where they know of no login.
_UNKNOWN = ("credentials not found", "no credentials server url", "no credentials username")
_MAX_ANSWER = 256 * 1024


def ask_helper(name: str, server: str, host: str) -> tuple[str, Secret] | None:
    """Username and secret that a helper keeps for a server; None where it has none.

    Args:
        name: The part after `docker-credential-`.
        server: The name the login is kept under.
        host: The registry, for errors.

    Raises:
        RegistryError: The helper is missing, hangs, fails, or says what cannot be read.
    """
    program = f"docker-credential-{name}"
    path = shutil.which(program) if _NAME.fullmatch(name) else None
    if path is None:
        hint = f"install {program[:90]!r}, or remove it from docker's config.json"
        raise _error(f"the credential helper {name[:64]!r} is not installed", host, hint)
    try:
        done = subprocess.run(  # noqa: S603 - the user's own configuration names the program
            [path, "get"],
            input=server.encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _error(f"{program} did not answer within {TIMEOUT_S} s", host) from error
    except OSError as error:
        raise _error(f"{program} could not be run: {error.strerror}", host) from error
    if done.returncode != 0:
        # Standard output may hold the secret; it is searched, never shown.
        said = (done.stdout[:_MAX_ANSWER] + done.stderr[:_MAX_ANSWER]).decode("utf-8", "replace")
        if any(text in said.lower() for text in _UNKNOWN):
            return None
        raise _error(f"{program} failed with exit code {done.returncode}", host)
    return _read(done.stdout, program, host)


def _read(output: bytes, program: str, host: str) -> tuple[str, Secret] | None:
    try:
        answer = json.loads(output[:_MAX_ANSWER])
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        # Outside of `except`: errors of the JSON reader quote the text, which may be the secret.
        raise _error(f"{program} did not answer in JSON", host)
    username, secret = answer.get("Username", ""), answer.get("Secret", "")
    if not isinstance(username, str) or not isinstance(secret, str):
        raise _error(f"{program} answered without Username and Secret", host)
    return (username, Secret(secret)) if secret else None


def _error(message: str, host: str, hint: str = "") -> RegistryError:
    advice = hint or "run it by hand, as docker would, to see what it says"
    return RegistryError(message, code="credential-helper", host=host, hint=advice)
