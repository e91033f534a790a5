"""The surroundings that git runs in: what a repo says about programs does not count.

A repo may be anybody's. Its own settings would start programs at many places (hooks, filters,
monitors, helpers, transports); all of them are overruled by variables, which git ranks above
every file. Secrets go the same way: they are in no argument, URL or file.
See `git help config` and `git help git`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from digestbot.forge.git_url import GitUrl
from digestbot.forge.signing import Signing, signing_settings
from digestbot.secret import Secret

_KEPT = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "GNUPGHOME", "SSH_AUTH_SOCK"}
    | {"SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT"}
    | {"http_proxy", "https_proxy", "all_proxy", "no_proxy"}
    | {"HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
)
_TAME = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.untrackedCache": "false",
    "core.splitIndex": "false",
    "core.symlinks": "false",
    "core.sshCommand": "ssh",
    "core.gitProxy": "",
    "core.askPass": "",
    "core.editor": "false",
    "core.pager": "cat",
    "core.alternateRefsCommand": "true",
    "core.attributesFile": os.devnull,
    "credential.helper": "",
    "diff.external": "",
    "fetch.recurseSubmodules": "false",
    "fetch.writeCommitGraph": "false",
    "gc.auto": "0",
    "http.followRedirects": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "30",
    "http.sslVerify": "true",
    "i18n.commitEncoding": "UTF-8",
    "maintenance.auto": "false",
    "push.gpgSign": "false",
    "push.followTags": "false",
    "push.recurseSubmodules": "no",
    "protocol.version": "2",
    "safe.bareRepository": "explicit",
    "submodule.recurse": "false",
    "transfer.bundleURI": "false",
    "transfer.fsckObjects": "true",
    "user.useConfigOnly": "true",
}
_VARIABLES = {
    "GIT_LFS_SKIP_SMUDGE": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=20 -oForwardAgent=no",
    "GIT_SSH_VARIANT": "ssh",
    # A key with a passphrase that no agent holds is an error, not a question.
    "SSH_ASKPASS": "false",
    "SSH_ASKPASS_REQUIRE": "force",
}
# Settings of the machine and the user say nothing about a repo that is not theirs.
_ALONE = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
}


@dataclass(frozen=True, slots=True)
class Login:
    """A user and a password or token, which only the host of the URL gets to see."""

    username: str
    password: Secret


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What one git command gets to know.

    `secrets` are the texts that no message of it may repeat.
    """

    variables: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def at_home(signing: Signing | None = None, hooks: Iterable[str] = ()) -> Surroundings:
    """For a checkout of the user: their own settings count, and nothing goes to the network.

    Since 2.54 git runs `hooks` of the settings, too, whatever `core.hooksPath` says; each is
    switched off by its name.
    """
    variables = {**_VARIABLES, "GIT_ALLOW_PROTOCOL": "none"}
    silent = {f"hook.{name}.enabled": "false" for name in hooks}
    return Surroundings(variables | _as_variables({**_TAME, **silent, **signing_settings(signing)}))


def abroad(
    url: GitUrl | None = None, login: Login | None = None, signing: Signing | None = None
) -> Surroundings:
    """For a copy of somebody's repo; without a URL, nothing goes to the network.

    A password is asked for now, and lives as long as the command.
    """
    settings = {**_TAME, **signing_settings(signing)}
    protocol = url.protocol if url else "none"
    variables = {**_VARIABLES, **_ALONE, "GIT_ALLOW_PROTOCOL": protocol}
    secrets: tuple[str, ...] = ()
    if url is not None and login is not None and protocol in {"https", "http"}:
        password = login.password.reveal()
        basic = base64.b64encode(f"{login.username}:{password}".encode()).decode()
        settings[f"http.{url.origin}/.extraHeader"] = f"Authorization: Basic {basic}"
        secrets = (basic, password)
    return Surroundings(variables | _as_variables(settings), secrets)


def foreign_names(environment: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The names of variables that a child has no need of: tokens of other things, above all."""
    return sorted(name for name in environment if name not in _KEPT and name not in wanted)


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    numbered = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings.items()):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return numbered
