from __future__ import annotations

from datetime import timedelta
from typing import Any

import click
import pytest

from digestbot.cli.rollout_types import DigestType, Duration, Share, Waves
from digestbot.image import Digest

DIGEST = Digest("sha256", "a" * 64)


@pytest.mark.parametrize(
    "kind, text, value",
    [
        pytest.param(Duration(), "90s", timedelta(seconds=90), id="seconds"),
        pytest.param(Duration(), "14d", timedelta(days=14), id="days"),
        pytest.param(Duration(), timedelta(1), timedelta(1), id="a-duration-already"),
        pytest.param(Share(), "0.9", 0.9, id="share"),
        pytest.param(Share(), "90%", 0.9, id="percent"),
        pytest.param(Share(), "0", 0.0, id="none"),
        pytest.param(Share(), "100%", 1.0, id="all"),
        pytest.param(Waves(), "10,50,100", (10, 50, 100), id="waves"),
        pytest.param(Waves(), " 5% , 100% ", (5, 100), id="waves-in-percent"),
        pytest.param(Waves(), "100", (100,), id="one-wave"),
        pytest.param(DigestType(), str(DIGEST), DIGEST, id="digest"),
        pytest.param(DigestType(), DIGEST, DIGEST, id="a-digest-already"),
    ],
)
def test_what_is_right_is_read(kind: click.ParamType[Any], text: object, value: object) -> None:
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    "kind, text",
    [
        pytest.param(Duration(), "1h30m", id="two-units"),
        pytest.param(Duration(), "-1h", id="negative-time"),
        pytest.param(Duration(), "999999d", id="for-ever"),
        pytest.param(Share(), "-1%", id="negative"),
        pytest.param(Share(), "inf", id="infinite"),
        pytest.param(Share(), "%", id="only-percent"),
        pytest.param(Share(), "", id="nothing"),
        pytest.param(Waves(), "", id="no-waves"),
        pytest.param(Waves(), "10,,100", id="a-hole"),
        pytest.param(Waves(), "10,50", id="not-all"),
        pytest.param(Waves(), "0.5,100", id="fractions"),
        pytest.param(Waves(), "1" * 5000, id="digits-without-end"),
        pytest.param(DigestType(), "latest", id="no-digest"),
        pytest.param(DigestType(), "sha256:" + "A" * 64, id="upper-case"),
    ],
)
def test_what_is_wrong_is_a_usage_error(kind: click.ParamType[Any], text: str) -> None:
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)
