from __future__ import annotations

from datetime import timedelta

import click
import pytest

from digestbot.cli.rollout_types import DIGEST, DURATION, OWNER, SHARE, WAVES, Callback
from digestbot.image import Digest

ONE, TWO = Digest("sha256", "a" * 64), Digest("sha512", "b" * 128)


@pytest.mark.parametrize(
    "read, text, value",
    [
        pytest.param(DURATION, "90s", timedelta(seconds=90), id="seconds"),
        pytest.param(DURATION, "14d", timedelta(days=14), id="days"),
        pytest.param(DURATION, None, None, id="nothing-said"),
        pytest.param(SHARE, "0.9", 0.9, id="share"),
        pytest.param(SHARE, "90%", 0.9, id="percent"),
        pytest.param(SHARE, "0", 0.0, id="none"),
        pytest.param(SHARE, "100%", 1.0, id="all"),
        pytest.param(WAVES, "10,50,100", (10, 50, 100), id="waves"),
        pytest.param(WAVES, " 5% , 100% ", (5, 100), id="waves-in-percent"),
        pytest.param(WAVES, "100", (100,), id="one-wave"),
        pytest.param(DIGEST, str(ONE), ONE, id="digest"),
        pytest.param(DIGEST, (str(ONE), str(TWO)), (ONE, TWO), id="digests"),
        pytest.param(DIGEST, (), (), id="no-digests"),
        pytest.param(OWNER, ("@Acme/Web", "@ann"), ("@acme/web", "@ann"), id="owners"),
    ],
)
def test_what_is_right_is_read(read: Callback, text: object, value: object) -> None:
    assert read(None, None, text) == value


@pytest.mark.parametrize(
    "read, text",
    [
        pytest.param(DURATION, "1h30m", id="two-units"),
        pytest.param(DURATION, "-1h", id="negative-time"),
        pytest.param(DURATION, "999999d", id="for-ever"),
        pytest.param(SHARE, "-1%", id="negative"),
        pytest.param(SHARE, "inf", id="infinite"),
        pytest.param(SHARE, "%", id="only-percent"),
        pytest.param(SHARE, "", id="nothing"),
        pytest.param(WAVES, "", id="no-waves"),
        pytest.param(WAVES, "10,,100", id="a-hole"),
        pytest.param(WAVES, "10,50", id="not-all"),
        pytest.param(WAVES, "0.5,100", id="fractions"),
        pytest.param(WAVES, "1" * 5000, id="digits-without-end"),
        pytest.param(DIGEST, "latest", id="no-digest"),
        pytest.param(OWNER, ("@ann", "acme/web"), id="no-owner"),
        pytest.param(DIGEST, (str(ONE), "sha256:" + "A" * 64), id="upper-case"),
    ],
)
def test_what_is_wrong_is_a_usage_error(read: Callback, text: object) -> None:
    with pytest.raises(click.BadParameter) as caught:
        read(None, None, text)

    assert len(caught.value.message) < 200
