"""No secret leaves: not in an error, a repr, a log line, or a request to anyone else."""

from __future__ import annotations

import base64
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from digestbot.registry.docker_config import Credential, read_docker_config
from digestbot.registry.errors import RegistryError
from digestbot.registry.message import Request
from digestbot.registry.probe import probe
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import HostSettings, RegistrySettings
from digestbot.registry.tokens import Token, TokenQuestion
from digestbot.secret import NO_SECRET, Secret
from tests.registries.fake import Answer, Call, FakeRegistry
from tests.registries.tokens import TokenAuth, basic_auth
from tests.registry.asking import FakeTime, make_query

PASSWORD = 'hunter2-is-"the"-pässword'
TOKEN = "hunter2-is-the-token"
BASIC = base64.b64encode(f"me:{PASSWORD}".encode()).decode()
SECRETS = ("hunter2", BASIC)
LOGIN = HostSettings(username="me", password=Secret(PASSWORD))


@pytest.mark.parametrize(
    "thing",
    [
        Secret(PASSWORD),
        Secret(lambda: PASSWORD),
        LOGIN,
        RegistrySettings(hosts={"r.example": LOGIN}),
        Credential("me", Secret(PASSWORD), Secret(PASSWORD), Secret(PASSWORD)),
        TokenQuestion("r", "https://r/", "s", "x", Credential("me", Secret(PASSWORD))),
        Token(TOKEN, 0.0),
        Request("GET", "https://r/", headers={"Authorization": BASIC}, body=PASSWORD.encode()),
        read_docker_config(json.dumps({"auths": {"r": {"auth": BASIC}}})),
    ],
    ids=lambda thing: type(thing).__name__,
)
@pytest.mark.parametrize("show", [repr, str, ascii, format], ids=lambda show: show.__name__)
def test_nothing_that_holds_a_secret_shows_it(thing: object, show: Callable[[object], str]) -> None:
    assert not any(secret in show(thing) for secret in SECRETS)


def test_secret_is_not_written_down() -> None:
    for write in (pickle.dumps, copy.deepcopy):
        with pytest.raises(TypeError):
            write(Secret(PASSWORD))


def test_secret_is_read_only_when_it_is_needed() -> None:
    asked = []

    def read() -> str:
        asked.append(1)
        return PASSWORD

    secret = Secret(read)

    assert asked == []
    assert secret.reveal() == PASSWORD
    assert secret != PASSWORD
    assert not NO_SECRET


def echo(call: Call) -> Answer:
    """What a careless registry does: repeat the request in its error."""
    said = f'bad "request": {call.headers} {call.body!r} {PASSWORD} {BASIC}'
    body = json.dumps({"errors": [{"code": "DENIED", "message": said}]})
    return Answer(403, (("Content-Type", "application/json"),), body.encode())


def give_token(_call: Call) -> Answer:
    return Answer(200, body=json.dumps({"token": TOKEN}).encode())


def hostile(fake: FakeRegistry, trouble: str) -> None:
    """Ways to fail with a login at hand."""
    site = fake.site("r.example")
    if trouble == "basic-echo":
        site.rules.append(lambda call: echo(call) if call.authorization else None)
        basic_auth(site, {}, "Basic")
        return
    TokenAuth(site, site)
    if trouble == "token-server-echo":
        site.rules.insert(0, lambda call: echo(call) if call.path == "/token" else None)
    elif trouble == "token-server-garbage":
        garbage = Answer(200, body=f'{{"token": "{TOKEN} {PASSWORD}'.encode())
        site.always(garbage, path="/token")
    elif trouble == "token-server-redirect":
        site.always(Answer.redirect(f"https://x.example/?{PASSWORD}"), path="/token")
        fake.site("x.example").rules.append(echo)
    else:
        site.rules.insert(0, lambda call: give_token(call) if call.path == "/token" else None)
        site.rules.insert(0, lambda call: echo(call) if TOKEN in call.authorization else None)


@pytest.mark.parametrize(
    "trouble",
    [
        "basic-echo",
        "token-server-echo",
        "token-server-garbage",
        "token-server-redirect",
        "registry-echo",
    ],
)
def test_error_and_log_of_a_failed_login_hold_no_secret(
    world: FakeRegistry, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    hostile(world, trouble)
    settings = RegistrySettings(hosts={"r.example": LOGIN})
    caplog.set_level(logging.DEBUG)

    with RegistryResolver(settings, clock=FakeTime().clock) as resolver:
        with pytest.raises(RegistryError) as caught:
            resolver.resolve(make_query("r.example/app:1"))
        probed = probe(resolver, "r.example")

    error = caught.value
    trace = "".join(traceback.format_exception(error))
    shown = [str(error), error.hint, repr(error), trace, repr(probed), caplog.text]
    assert world.site("r.example").calls
    assert not [text for text in shown for secret in SECRETS if secret in text]


@pytest.mark.parametrize("scheme", ["basic", "bearer"])
def test_login_is_sent_to_its_host_alone_and_never_in_a_url(
    world: FakeRegistry, caplog: pytest.LogCaptureFixture, scheme: str
) -> None:
    site = world.site("r.example")
    if scheme == "basic":
        basic_auth(site, {"me": PASSWORD}, "Basic")
    else:
        TokenAuth(site, site, users={"me": PASSWORD})
    site.add("app", "1")
    settings = RegistrySettings(
        hosts={"r.example": LOGIN}, mirrors={"mirrored.example/": "other.example/"}
    )
    caplog.set_level(logging.DEBUG)
    for name in ("evil.example", "other.example"):
        basic_auth(world.site(name), {}, "Basic")

    with RegistryResolver(settings, clock=FakeTime().clock) as resolver:
        resolver.resolve(make_query("r.example/app:1"))
        for name in ("evil.example/app:1", "mirrored.example/app:1", "r.example:8443/app:1"):
            with pytest.raises(RegistryError):
                resolver.resolve(make_query(name))

    def holds_secret(call: Call) -> bool:
        everything: Any = (call.headers, call.body, call.path, call.query)
        return any(secret in repr(everything) for secret in SECRETS)

    told = {call.host for call in world.calls() if holds_secret(call)}
    assert told == {"r.example"}
    assert not [call for call in world.calls() if "hunter2" in f"{call.path}{call.query}"]
    assert not any(secret in caplog.text for secret in SECRETS)
