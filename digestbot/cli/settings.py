"""The settings of a run: the configuration file, and the options that beat it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from digestbot.cli.options import Decorated, option
from digestbot.cli.targets import LocalTarget, Target
from digestbot.config.discovery import choose_config
from digestbot.scan.setup import Setup, make_setup

if TYPE_CHECKING:
    from digestbot.config.load import LoadedSettings


# What a stranger's file must not decide: who gets which password, and what is asked at home.
_VOUCHED_FOR = (
    "registries",
    "allow_private",
    "github",
    "signing",
    "cache",
    "overridable",
    "targets",
    "state",
    "service",
    "notify",
    "hooks",
    "dashboard",
    "rollout",
)


config_option = option(
    "--config",
    type=click.Path(path_type=Path),
    heading="Input",
    env="CONFIG",
    metavar="FILE",
    help="Configuration file. [default: digestbot.yaml, .github/digestbot.yaml or "
    ".digestbot.yaml in this folder]",
)
"""The option --config."""


def config_options(command: Decorated) -> Decorated:
    """The options --config and --no-config."""
    for add in (
        option(
            "--no-config",
            is_flag=True,
            heading="Input",
            env="NO_CONFIG",
            help="Read no configuration file.",
        ),
        config_option,
    ):
        command = add(command)
    return command


def network_options(command: Decorated) -> Decorated:
    """The options --timeout and --allow-private."""
    for add in (
        option(
            "--allow-private",
            is_flag=True,
            heading="Network",
            env="ALLOW_PRIVATE",
            help="Let registries be on private network addresses.",
        ),
        option(
            "--timeout",
            type=float,
            heading="Network",
            env="TIMEOUT",
            metavar="SECONDS",
            help="Time limit for one whole lookup. [default: 30]",
        ),
    ):
        command = add(command)
    return command


def load(
    context: click.Context, *, config: Path | None, no_config: bool, keys: Mapping[str, Any]
) -> LoadedSettings:
    """The settings, with the options in `keys` (setting → value) on top where they were given.

    An option that was not given leaves the file's value alone. The file is looked for in the
    working directory only, never in a scanned one: a stranger's repository does not configure
    whom we ask, or with which password.

    Raises:
        ConfigError: The file or an option is wrong.
    """
    from digestbot.config.load import Override, load_settings  # noqa: PLC0415 - imports pydantic

    overrides = {
        key: Override(value, origin)
        for key, value in keys.items()
        if (origin := _origin(context, key)) is not None
    }
    return load_settings(_choose(context, config, no_config=no_config), overrides)


def set_up(
    context: click.Context, *, config: Path | None, no_config: bool, keys: Mapping[str, Any]
) -> Setup:
    """As `load`, but as a setup; where nothing is configured, nothing is loaded either.

    Raises:
        ConfigError: The file or an option is wrong.
    """
    path = _choose(context, config, no_config=no_config)
    if path is None and not any(_origin(context, key) for key in keys):
        return Setup()
    loaded = load(context, config=config, no_config=no_config, keys=keys)
    check_trust(context, loaded)
    return make_setup(loaded.settings, os.environ)


def check_trust(context: click.Context, loaded: LoadedSettings) -> None:
    """Do nothing, if nobody but the user says whom to send passwords, and where to go for it.

    The working directory may be a stranger's repository, and its configuration would be found
    there. Whoever names the file vouches for it.

    Raises:
        ConfigError: A file that was merely found speaks of registries or private addresses.
    """
    from digestbot.config.issues import ConfigError, Issue  # noqa: PLC0415 - as its callers

    if loaded.path is None or _origin(context, "config") is not None:
        return
    for key in _VOUCHED_FOR:
        places = [where for path, where in loaded.origins.items() if path[0] == key]
        if places and places[0].startswith(str(loaded.path)):
            message = "is not taken from a file that was only found in this folder"
            issue = Issue(places[0], message, key)
            raise ConfigError([issue], hint=f"if it is yours, name it: --config {loaded.path}")


def load_for(
    context: click.Context,
    targets: Iterable[Target],
    *,
    config: Path | None,
    no_config: bool,
    keys: Mapping[str, Any],
) -> LoadedSettings:
    """As `load`, for work on these targets.

    A configuration that was merely found speaks for the folder that it was found in: it may be
    a stranger's, and does not decide about other repos.

    Raises:
        ConfigError: The file or an option is wrong, or the file is not to be trusted so far.
    """
    from digestbot.config.issues import ConfigError, Issue  # noqa: PLC0415 - as above

    loaded = load(context, config=config, no_config=no_config, keys=keys)
    check_trust(context, loaded)
    if loaded.path is None or _origin(context, "config") is not None:
        return loaded
    for target in targets:
        if not (isinstance(target, LocalTarget) and _is_here(target.path)):
            message = f"was only found in this folder, and does not decide about {target}"
            raise ConfigError(
                [Issue(str(loaded.path), message)],
                hint=f"if it is yours, name it: --config {loaded.path}; or leave it: --no-config",
            )
    return loaded


def _is_here(path: str) -> bool:
    return Path(path).resolve().is_relative_to(Path.cwd().resolve())


def given_keys(loaded: LoadedSettings) -> frozenset[str]:
    """The settings that the command line or the environment decided."""
    return frozenset(
        str(path[0])
        for path, origin in loaded.origins.items()
        if origin.startswith(("--", "DIGESTBOT_"))
    )


def _choose(context: click.Context, config: Path | None, *, no_config: bool) -> Path | None:
    # What click took from the environment is left to `choose_config`, which blames the variable.
    named = config if _origin(context, "config") == "--config" else None
    return None if no_config else choose_config(named, os.environ, Path())


def _origin(context: click.Context, key: str) -> str | None:
    """How this option was given: `--jobs` or `DIGESTBOT_JOBS`; None where it was not."""
    source = context.get_parameter_source(key)
    if source not in (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT):
        return None
    for parameter in context.command.params:
        if parameter.name == key:
            if source is ParameterSource.ENVIRONMENT:
                return str(parameter.envvar)
            return max(parameter.opts, key=len)
    return None
