from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from itsdangerous import TimestampSigner
from starlette.responses import Response

from digestbot.secret import Secret
from digestbot.web.sessions import Sessions, cookie_name, cookie_of, take_back
from digestbot.web.users import User, Users
from tests.web.visits import ANN_TOKEN, BOB_TOKEN, Ask, Time

ANN = User("ann", "operator", Secret(ANN_TOKEN))
BOB = User("bob", "reader", Secret(BOB_TOKEN))
DAY = timedelta(days=1)


def sessions(*users: User, time: Time | None = None) -> Sessions:
    return Sessions(Users(users or (ANN, BOB)), DAY, (time or Time()).clock)


def test_a_session_is_read_as_it_was_begun() -> None:
    kept = sessions()

    found = kept.read(kept.begin(ANN))

    assert found is not None
    assert found.user is ANN


def test_each_session_is_another() -> None:
    kept = sessions()

    first, second = kept.read(kept.begin(ANN)), kept.read(kept.begin(ANN))

    assert first is not None
    assert second is not None
    assert first.id != second.id


def test_a_session_outlives_the_process_that_began_it() -> None:
    cookie = sessions().begin(ANN)

    assert sessions().read(cookie) is not None


def test_another_token_ends_the_sessions_of_its_user_alone() -> None:
    kept = sessions()
    of_ann, of_bob = kept.begin(ANN), kept.begin(BOB)

    later = sessions(User("ann", "operator", Secret(f"{ANN_TOKEN}-2")), BOB)

    assert later.read(of_ann) is None
    assert later.read(of_bob) is not None


def test_who_is_no_user_any_more_has_no_session() -> None:
    cookie = sessions().begin(ANN)

    assert sessions(BOB).read(cookie) is None


def test_a_name_that_is_given_to_somebody_else_is_no_session_of_theirs() -> None:
    cookie = sessions().begin(BOB)

    renamed = sessions(User("bob", "operator", Secret(ANN_TOKEN)))

    assert renamed.read(cookie) is None


@pytest.mark.parametrize(
    "passed, is_one",
    [
        pytest.param(0, True, id="at-once"),
        pytest.param(DAY.total_seconds(), True, id="last-second"),
        pytest.param(DAY.total_seconds() + 1, False, id="over"),
        pytest.param(10 * 365 * DAY.total_seconds(), False, id="long-over"),
        pytest.param(-3600, False, id="of-the-future"),
    ],
)
def test_a_session_ends_by_its_time(passed: float, is_one: bool) -> None:
    time = Time()
    kept = sessions(time=time)
    cookie = kept.begin(ANN)

    time.now += passed

    assert (kept.read(cookie) is not None) is is_one


def test_a_session_that_was_ended_is_not_played_again() -> None:
    kept = sessions()
    cookie, other = kept.begin(ANN), kept.begin(ANN)
    session = kept.read(cookie)
    assert session is not None

    kept.end(session.id)

    assert kept.read(cookie) is None
    assert kept.read(other) is not None


def test_no_other_spelling_of_a_signature_brings_an_ended_session_back() -> None:
    kept = sessions()
    cookie = kept.begin(ANN)
    session = kept.read(cookie)
    assert session is not None
    kept.end(session.id)

    # The last character of a signature in base64 has two bits that say nothing.
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spellings = [cookie[:-1] + letter for letter in letters]

    assert [kept.read(one) for one in spellings] == [None] * 64


def forged(said: str, key: str | bytes, salt: bytes = b"digestbot.session") -> str:
    signer = TimestampSigner(key, salt=salt, key_derivation="hmac", digest_method=hashlib.sha256)
    return signer.sign(said).decode()


ID = "A" * 22


def parts(cookie: str) -> list[str]:
    return cookie.split(".")


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="empty"),
        pytest.param("ann", id="name"),
        pytest.param("...", id="dots"),
        pytest.param(forged(f"ann.{ID}", ""), id="empty-key"),
        pytest.param(forged(f"ann.{ID}", "x" * 32), id="guessed-key"),
        pytest.param(forged(f"ann.{ID}", BOB_TOKEN), id="signed-by-another"),
        pytest.param(forged(f"eve.{ID}", BOB_TOKEN), id="of-nobody"),
        pytest.param(forged(f"ann.{ID}", ANN_TOKEN, b"itsdangerous.Signer"), id="other-salt"),
        pytest.param(forged(f"ann.{ID}x", ANN_TOKEN), id="odd-id"),
        pytest.param(f"ann.{ID}.AAAA", id="unsigned"),
        pytest.param(f"ann.{ID}.AAAA.", id="empty-signature"),
        pytest.param(f"ann.{ID}.{'_' * 16}.{'A' * 43}", id="time-beyond-time"),
        pytest.param("x" * 1_000_000, id="huge"),
        pytest.param("." * 1_000_000, id="huge-dots"),
        pytest.param("änn.äää.ä.ä", id="not-ascii"),
        pytest.param("ann.\ud800", id="not-unicode"),
        pytest.param("ann\x00", id="null-byte"),
    ],
)
def test_nobody_begins_a_session_by_themselves(cookie: str) -> None:
    time = Time()
    time.now = 0.0  # Nothing is over yet.

    assert sessions(time=time).read(cookie) is None


@pytest.mark.parametrize("part", range(4))
def test_a_cookie_with_a_part_of_another_is_none(part: int) -> None:
    time = Time()
    kept = sessions(time=time)
    mine = parts(kept.begin(BOB))
    time.now += 60
    theirs = parts(kept.begin(ANN))

    mixed = [*mine[:part], theirs[part], *mine[part + 1 :]]

    assert kept.read(".".join(mine)) is not None
    assert kept.read(".".join(mixed)) is None


@given(st.integers(0, 75), st.characters())
def test_a_cookie_that_was_changed_anywhere_is_none(place: int, letter: str) -> None:
    kept = sessions()
    cookie = kept.begin(ANN)
    # The last character is looked at above.
    assume(place < len(cookie) - 1 and letter != cookie[place])

    changed = cookie[:place] + letter + cookie[place + 1 :]
    cut = cookie[:place] + cookie[place + 1 :]

    assert kept.read(changed) is None
    assert kept.read(cut) is None
    assert kept.read(cookie[:place]) is None


@given(st.text(max_size=300))
def test_any_text_is_read_without_fail(text: str) -> None:
    kept = sessions()

    assert kept.read(text) is None
    assert kept.read(f"ann.{text}") is None


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_header_is_read_without_fail(text: str) -> None:
    request = Ask(headers={"Cookie": text}).request

    said = cookie_of(request, is_https=False)

    assert not said or f"digestbot={said}" in text


@pytest.mark.parametrize(
    "lines, said",
    [
        pytest.param([], "", id="none"),
        pytest.param(["digestbot=a"], "a", id="one"),
        pytest.param(["x=1; digestbot=a;y=2"], "a", id="among-others"),
        pytest.param(["digestbot=a=b=="], "a=b==", id="equals-signs"),
        pytest.param(["digestbot=a; digestbot=b"], "", id="two"),
        pytest.param(["digestbot=a; digestbot=a"], "", id="the-same-twice"),
        pytest.param(["digestbot=a", "digestbot=b"], "", id="two-headers"),
        pytest.param(["DIGESTBOT=a"], "", id="capitals"),
        pytest.param(["digestbot"], "", id="no-value"),
        pytest.param(['digestbot="a"'], '"a"', id="quotes-are-no-part-of-it"),
        pytest.param(["__Host-digestbot=a"], "", id="that-of-https"),
        pytest.param(["x" * 60_000 + "; digestbot=a"], "a", id="huge"),
        pytest.param([";" * 60_000], "", id="many"),
    ],
)
def test_a_cookie_is_there_exactly_once(lines: list[str], said: str) -> None:
    request = Ask(more=tuple(("Cookie", line) for line in lines)).request

    assert cookie_of(request, is_https=False) == said


def test_by_https_the_cookie_is_one_that_only_this_host_can_set() -> None:
    both = Ask(headers={"Cookie": "digestbot=tossed; __Host-digestbot=own"}).request

    assert cookie_of(both, is_https=True) == "own"
    assert cookie_of(Ask(headers={"Cookie": "digestbot=tossed"}).request, is_https=True) == ""


@pytest.mark.parametrize("is_https", [True, False])
def test_the_cookie_is_kept_from_scripts_and_other_sites(is_https: bool) -> None:
    given, taken = Response(), Response()

    sessions().give(given, "a.b", is_https=is_https)
    take_back(taken, is_https=is_https)

    secure = "; Secure" if is_https else ""
    name = "__Host-digestbot" if is_https else "digestbot"
    expected = f"{name}=a.b; HttpOnly; Max-Age=86400; Path=/; SameSite=lax{secure}"
    assert given.headers["set-cookie"] == expected
    assert name == cookie_name(is_https=is_https)
    emptied = taken.headers["set-cookie"]
    assert emptied.startswith(f'{name}="";')
    assert "Max-Age=0" in emptied
    assert ("Secure" in emptied) is is_https
    assert "Path=/" in emptied
    assert "domain" not in f"{expected}{emptied}".lower()


def test_a_cookie_needs_no_quotes_and_does_not_say_the_token() -> None:
    cookie = sessions().begin(ANN)

    assert len(cookie) < 200
    assert set(cookie) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    assert ANN_TOKEN not in cookie
