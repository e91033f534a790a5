from __future__ import annotations

from pathlib import Path

import pytest

from digestbot.config.dashboard import UserConfig
from digestbot.config.issues import ConfigError
from digestbot.secret import Secret
from digestbot.web.users import User, Users, users_of
from tests.web.visits import ANN_TOKEN, BOB_TOKEN, ENVIRON, USERS

CONFIGS = [UserConfig.model_validate(user) for user in USERS]


def complaint(configs: list[UserConfig], environ: dict[str, str]) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        users_of(configs, environ)
    return caught.value


def test_users_are_known_by_name_and_by_token() -> None:
    users = users_of(CONFIGS, ENVIRON)

    ann, bob = users.named("ann"), users.knowing(BOB_TOKEN)
    assert (ann and ann.role, bob and bob.name) == ("operator", "bob")
    assert users
    assert not users_of([], {})


@pytest.mark.parametrize(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param(ANN_TOKEN[:-1], id="cut"),
        pytest.param(f"{ANN_TOKEN}x", id="longer"),
        pytest.param(f"{ANN_TOKEN}\n", id="line-break"),
        pytest.param(ANN_TOKEN.upper(), id="capitals"),
        pytest.param(f"{ANN_TOKEN},{BOB_TOKEN}", id="two"),
        pytest.param("ann", id="name"),
        pytest.param("ä" * 30, id="not-ascii"),
        pytest.param("\ud800", id="not-unicode"),
        pytest.param("x" * 1_000_000, id="huge"),
    ],
)
def test_nobody_knows_what_is_no_token(token: str) -> None:
    assert users_of(CONFIGS, ENVIRON).knowing(token) is None


def test_all_tokens_are_compared_whichever_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    def compare(known: bytes, given: bytes) -> bool:
        seen.append((len(known), len(given)))
        return known == given

    monkeypatch.setattr("digestbot.web.users.compare_digest", compare)
    users = users_of(CONFIGS, ENVIRON)
    seen.clear()

    for token in (ANN_TOKEN, BOB_TOKEN, "x"):
        users.knowing(token)

    assert seen == [(32, 32)] * 2 * 3


def test_a_token_may_stand_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{ANN_TOKEN}\n")

    users = users_of([UserConfig(name="ann", token_file=path)], {})

    known = users.knowing(ANN_TOKEN)
    assert known is not None
    assert known.role == "reader"


@pytest.mark.parametrize(
    "token, words",
    [
        pytest.param("", "20 to 4096", id="empty"),
        pytest.param("canary", "20 to 4096", id="short"),
        pytest.param("canary" * 1000, "20 to 4096", id="long"),
        pytest.param("canary canary canary canary", "letters, digits", id="spaces"),
        pytest.param("canary-canary-canary-ä", "letters, digits", id="not-ascii"),
        pytest.param("canary-canary-canary\n\n", "letters, digits", id="two-line-breaks"),
        pytest.param("canary=canary=canary=", "letters, digits", id="padding-within"),
    ],
)
def test_what_is_no_token_is_refused_with_how_to_make_one(token: str, words: str) -> None:
    error = complaint([UserConfig(name="ann", token_env="ANN")], {"ANN": token})

    assert words in str(error)
    assert "dashboard.users.ann.token_env" in str(error)
    assert "openssl rand -hex 32" in error.hint
    assert "canary" not in f"{error} {error.hint}"


def test_a_token_that_is_not_there_is_said(tmp_path: Path) -> None:
    missing = complaint([UserConfig(name="ann", token_env="ANN")], {})
    nowhere = complaint([UserConfig(name="ann", token_file=tmp_path / "none")], {})

    assert str(missing) == "dashboard.users.ann.token_env: the environment variable ANN is not set"
    assert "dashboard.users.ann.token_file" in str(nowhere)


def test_nobody_has_the_token_of_somebody_else() -> None:
    error = complaint(CONFIGS, {"ANN": ANN_TOKEN, "BOB": ANN_TOKEN})

    assert "dashboard.users.bob: the token is that of ann, too" in str(error)
    assert ANN_TOKEN not in str(error)


def test_a_user_does_not_show_the_token() -> None:
    user = User("ann", "reader", Secret(ANN_TOKEN))

    assert ANN_TOKEN not in f"{user!r} {Users([user])!r}"
