from __future__ import annotations

from collections.abc import Callable

import pytest

from digestbot.config import names

Check = Callable[[str], str]


@pytest.mark.parametrize(
    "check, text",
    [
        (names.check_login, "ann"),
        (names.check_login, "renovate[bot]"),
        (names.check_reviewer, "acme/platform"),
        (names.check_label, "area: base images"),
        (names.check_slug, "distroless-2"),
        (names.check_title, "bump {image}:{tag} {old} -> {new} ({count})"),
        (names.check_signoff, "Ann Bot <ann@example.org>"),
        (names.check_cron, "*/5 6-18 * jan,mar mon-fri"),
        (names.check_zone, "Europe/Berlin"),
        (names.check_zone, "UTC"),
    ],
)
def test_what_is_right_stays_as_it_is(check: Check, text: str) -> None:
    assert check(text) == text


@pytest.mark.parametrize("check", [names.check_login, names.check_reviewer])
def test_an_at_sign_is_dropped(check: Check) -> None:
    assert check("@ann") == "ann"


@pytest.mark.parametrize(
    "check, text",
    [
        (names.check_login, "ann smith"),
        (names.check_login, "acme/platform"),
        (names.check_login, "ann\n"),
        (names.check_reviewer, "a/b/c"),
        (names.check_reviewer, "/x"),
        (names.check_label, ""),
        (names.check_label, "x" * 51),
        (names.check_label, "a,b"),
        (names.check_slug, "Big"),
        (names.check_slug, "a/b"),
        (names.check_slug, ""),
        (names.check_title, "{image"),
        (names.check_title, "}"),
        (names.check_title, "{}"),
        (names.check_title, "{image.tag}"),
        (names.check_title, "{{image}}"),
        (names.check_title, "{image!r}"),
        (names.check_title, "{0}"),
        (names.check_title, "two\nlines"),
        (names.check_signoff, "ann@example.org"),
        (names.check_signoff, "Ann <a@b>\nEvil: yes"),
        (names.check_signoff, "A\nB <a@b>"),
        (names.check_signoff, "Ann <a b@c>"),
        (names.check_signoff, "Ann <a@b> <c@d>"),
        (names.check_signoff, "Ann\u2028 <a@b>"),
        (names.check_signoff, "Ann\x85 <a@b>"),
        (names.check_cron, "* * * *"),
        (names.check_cron, "@daily x x x x"),
        (names.check_zone, "Berlin"),
        (names.check_zone, "../../etc/passwd"),
        (names.check_zone, "/etc/passwd"),
    ],
)
def test_what_could_not_work_is_refused_with_a_reason(check: Check, text: str) -> None:
    with pytest.raises(ValueError, match=r"is|must|has|not"):
        check(text)
