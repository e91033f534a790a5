from __future__ import annotations

import pytest

from digestbot.registry.challenge import (
    MAX_HEADER,
    BasicLogin,
    BearerLogin,
    Login,
    choose_login,
    read_challenges,
)

URL = "https://registry.example/v2/team/app/manifests/1"
REALM = "https://auth.example/token"


@pytest.mark.parametrize(
    "lines, login",
    [
        pytest.param(
            [f'Bearer realm="{REALM}",service="s",scope="repository:a/b:pull"'],
            BearerLogin(REALM, "s", "repository:a/b:pull"),
            id="as-distribution-writes-it",
        ),
        pytest.param(
            [f'bEaReR ReAlM="{REALM}" , SERVICE="s"'], BearerLogin(REALM, "s"), id="any-case"
        ),
        pytest.param([f"Bearer realm={REALM},service=s"], BearerLogin(REALM, "s"), id="unquoted"),
        pytest.param(
            [f'Bearer realm="{REALM}",scope="repository:x:pull,push"'],
            BearerLogin(REALM, "", "repository:x:pull,push"),
            id="comma-in-quotes",
        ),
        pytest.param(
            [f'Bearer realm="{REALM}",service="a \\"b\\" \\\\c"'],
            BearerLogin(REALM, 'a "b" \\c'),
            id="escapes",
        ),
        pytest.param(
            ['Bearer realm="/token"'], BearerLogin("https://registry.example/token"), id="relative"
        ),
        pytest.param(["Bearer realm=/"], BearerLogin("https://registry.example/"), id="root"),
        pytest.param(
            [f'Bearer realm="{REALM}",error="insufficient_scope"'],
            BearerLogin(REALM, error="insufficient_scope"),
            id="error",
        ),
        pytest.param(
            [f'Bearer realm="{REALM}",service="s",scope="*",Basic realm="Forgejo"'],
            BearerLogin(REALM, "s", "*"),
            id="two-on-a-line",
        ),
        pytest.param(
            ['Basic realm="x"', f'Bearer realm="{REALM}"'], BearerLogin(REALM), id="two-lines"
        ),
        pytest.param(
            ["Negotiate", 'NTLM TlRM/AA==, Basic realm="x"'], BasicLogin(), id="unknown-schemes"
        ),
        pytest.param(["Negotiate abc=="], None, id="nothing-known"),
        pytest.param(['Basic realm="x", charset="UTF-8"'], BasicLogin(), id="charset"),
        pytest.param(
            ['Basic realm="https://1.dkr.ecr.example/",service="ecr.amazonaws.com"'],
            BasicLogin(),
            id="basic-with-a-url",
        ),
        pytest.param(['BASIC REALM="Artifactory Realm"'], BasicLogin(), id="shouting"),
        pytest.param(["Basic"], BasicLogin(), id="bare"),
        pytest.param([""], None, id="empty-header"),
        pytest.param([], None, id="no-header"),
        pytest.param([f'"Bearer" realm="{REALM}"'], None, id="quoted-scheme"),
        pytest.param([f'Bearer realm="{REALM}'], None, id="unterminated-quote"),
        pytest.param([f'Bearer realm="{REALM}"service="s"'], None, id="missing-comma"),
        pytest.param(['Bearer realm="", Basic realm="x"'], BasicLogin(), id="fallback-to-basic"),
        pytest.param(["Bearer realm=" + "a" * MAX_HEADER], None, id="too-long"),
    ],
)
def test_login_is_chosen(lines: list[str], login: Login | None) -> None:
    assert choose_login(lines, URL) == login


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("Bearer", id="no-realm"),
        pytest.param('Bearer realm=""', id="empty-realm"),
        pytest.param('Bearer realm="ftp://auth.example/"', id="other-scheme"),
        pytest.param('Bearer realm="https://user:pw@auth.example/"', id="login-in-it"),
        pytest.param('Bearer realm="https://auth.example\\\\@evil.example/"', id="backslash"),
        pytest.param('Bearer realm="https://auth.example:99999/"', id="impossible-port"),
        pytest.param('Bearer realm="https://[::1/"', id="broken-ipv6"),
    ],
)
def test_bearer_without_a_usable_realm_is_an_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"realm|URL|[Pp]ort|IPv6"):
        choose_login([line], URL)


def test_half_a_challenge_is_left_out_but_those_before_it_stay() -> None:
    found = read_challenges('Basic realm="x", Bearer realm="https://auth.example')

    assert [challenge.scheme for challenge in found] == ["basic"]


def test_first_of_a_repeated_parameter_counts() -> None:
    (challenge,) = read_challenges("Bearer realm=a, realm=b")

    assert challenge.get("realm") == "a"
