"""What options of rollouts take: lengths of time, shares, digests, waves."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import click

from digestbot.config.addresses import read_duration
from digestbot.config.rollout import check_waves
from digestbot.image import Digest


class Duration(click.ParamType):
    """A length of time: `90s`, `3h`, `14d`."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> timedelta:
        """The length of time, or a usage error."""
        try:
            return value if isinstance(value, timedelta) else read_duration(str(value))
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


class Share(click.ParamType):
    """A part of all: `0.9` or `90%`."""

    name = "share"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """A number from 0 to 1, or a usage error."""
        text = str(value)
        try:
            share = float(text[:-1]) / 100 if text.endswith("%") else float(text)
        except ValueError:
            share = -1.0
        if not 0 <= share <= 1:
            self.fail(f"{value!r} is not a share, such as 0.9 or 90%", param, ctx)
        return share


class Waves(click.ParamType):
    """How many percent are reached with each wave: `10,50,100`."""

    name = "waves"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The percents, or a usage error."""
        try:
            return check_waves([int(part.strip().rstrip("%")) for part in str(value).split(",")])
        except ValueError:
            message = f"{value!r} must rise from 1 or more to 100, such as 10,50,100"
            self.fail(message, param, ctx)


class DigestType(click.ParamType):
    """A whole digest."""

    name = "digest"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Digest:
        """The digest, or a usage error."""
        try:
            return value if isinstance(value, Digest) else Digest.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
