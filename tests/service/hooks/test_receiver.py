"""Deliveries over real connections: who is believed, what is answered, what comes of it."""

from __future__ import annotations

import io
import json
import logging
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from digestbot.image import ImageTag
from digestbot.secret import Secret
from digestbot.service.endpoint import make_app, serving
from digestbot.service.figures import Figures
from digestbot.service.hooks import body
from digestbot.service.hooks.delivery import Delivery, ImageHint, Reading
from digestbot.service.hooks.hook import Hook
from digestbot.service.hooks.kinds import SOURCES
from digestbot.service.hooks.receiver import SAME_ID_S, make_routes
from digestbot.service.logs import start_logging, stop_logging
from digestbot.service.metrics import Metrics
from tests.github.clock import VirtualClock
from tests.service.hooks import payloads
from tests.service.hooks.senders import (
    DISTRIBUTION,
    GHCR,
    GITHUB,
    HARBOR,
    QUAY,
    SECRET,
    SENDERS,
)
from tests.service.hooks.served import Answer, Served, hook_of, open_hooks, post

each = pytest.mark.parametrize("name", SENDERS)
REFUSED = {
    "status": "refused",
    "message": "there is no such hook, or this is not its secret",
}


@pytest.fixture(scope="module")
def clock() -> VirtualClock:
    return VirtualClock(1_000_000.0)


@pytest.fixture(scope="module")
def shared(clock: VirtualClock) -> Iterator[Served]:
    with open_hooks(clock.as_clock()) as made:
        yield made


@pytest.fixture
def served(shared: Served, clock: VirtualClock) -> Served:
    """Hooks that nobody has heard of; started once, as stopping takes its time."""
    clock.advance(10 * SAME_ID_S)
    shared.hints.clear()
    shared.counts.clear()
    return shared


def harbor(tag: str) -> Delivery:
    return HARBOR.deliver(payloads.harbor(tag=tag))


# -- what is believed


@each
def test_what_a_sender_sends_is_accepted_and_taken(served: Served, name: str) -> None:
    sender = SENDERS[name]

    answer = served.send(name, sender.deliver())

    assert (answer.status, answer.json()) == (202, {"status": "accepted"})
    assert tuple(served.hints) == sender.hints
    assert served.counts == {(name, "taken"): 1}


@each
def test_a_forged_delivery_is_refused_and_not_parsed(served: Served, name: str) -> None:
    forged = SENDERS[name].deliver(b"{not json", secret="another-secret-of-mine")

    answer = served.send(name, forged)

    assert (answer.status, answer.json()) == (404, REFUSED)
    assert served.hints == []
    assert served.counts == {(name, "refused"): 1}


@each
def test_without_any_proof_it_is_refused(served: Served, name: str) -> None:
    answer = served.send(name, Delivery({}, SENDERS[name].deliver().body))

    assert (answer.status, served.hints) == (404, [])


@each
def test_the_proof_of_another_hook_is_worth_nothing(served: Served, name: str) -> None:
    others = [one for one in SENDERS.values() if one.prove is not SENDERS[name].prove]

    answers = [served.send(name, one.deliver(SENDERS[name].payload)) for one in others]

    assert {one.status for one in answers} == {404}
    assert served.hints == []


def test_of_several_headers_of_one_name_the_last_counts(served: Served) -> None:
    data = HARBOR.deliver().body
    statuses = []
    for secrets in (("wrong", SECRET), (SECRET, "wrong")):
        lines = "".join(f"Authorization: {one}\r\n" for one in secrets)
        head = f"harbor HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(data)}"
        with raw(served, head) as client:
            client.sendall(data)
            statuses.append(status_of(client))

    assert statuses == [202, 404]


def test_a_signed_body_that_was_changed_is_refused(served: Served) -> None:
    delivery = GITHUB.deliver()
    changed = replace(delivery, body=delivery.body.replace(b"shop", b"bank"))

    assert served.send("github", changed).status == 404
    assert served.hints == []


def test_nobody_is_told_whether_there_is_such_a_hook(served: Served) -> None:
    delivery = HARBOR.deliver(secret="another-secret-of-mine")

    known = served.send("harbor", delivery)
    unknown = [
        served.send(name, delivery)
        for name in ("nobody", "HARBOR", "harbor%20", "a" * 500, "%00", "..%2f", SECRET)
    ]

    def shown(answer: Answer) -> tuple[int, bytes, dict[str, str]]:
        return answer.status, answer.body, dict(answer.headers)

    assert [shown(one) for one in unknown] == [shown(known)] * len(unknown)
    assert served.counts["unknown", "refused"] == len(unknown)


def test_as_much_is_computed_for_a_name_that_nobody_has() -> None:
    asked: list[str] = []

    class Spy:
        def __init__(self, kind: str) -> None:
            self._kind = kind

        def is_authentic(self, delivery: Delivery, secret: Secret) -> bool:
            asked.append(self._kind)
            return True

        def read(self, delivery: Delivery, registry: str) -> Reading:
            return Reading()

    spies = {kind: Spy(kind) for kind in SOURCES}
    routes = make_routes({"harbor": hook_of("harbor", HARBOR)}, Served().take, sources=spies)
    with serving(make_app(list, Metrics(Figures).exposition, routes), "127.0.0.1", 0) as port:
        answers = [Served(port).send(name, HARBOR.deliver()).status for name in ("harbor", "x")]

    assert answers == [202, 404]
    assert Counter(asked) == dict.fromkeys(SOURCES, 2)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_other_methods_are_refused_for_every_name(served: Served, method: str) -> None:
    with closing(served.connect()) as connection:
        statuses = []
        for path in ("/hooks/harbor", "/hooks/nobody", f"/hooks/quay/{SECRET}"):
            connection.request(method, path)
            response = connection.getresponse()
            response.read()
            statuses.append(response.status)

    assert statuses == [405] * 3


@pytest.mark.parametrize("path", ["/hooks", "/hooks/", "/hooks//x", "//hooks/harbor"])
def test_other_paths_are_not_there(served: Served, path: str) -> None:
    with closing(served.connect()) as connection:
        connection.request("POST", path, b"{}")
        assert connection.getresponse().status in {404, 405}
    assert served.hints == []


@pytest.mark.parametrize("secret", ["", "wrong", f"{SECRET}/", f"{SECRET}/x", f"x/{SECRET}", "%ff"])
def test_only_the_secret_itself_in_the_path_is_one(served: Served, secret: str) -> None:
    delivery = replace(QUAY.deliver(), path_secret=secret)

    assert served.send("quay", delivery).status == 404


# -- what is read


@each
@pytest.mark.parametrize(
    "malformed",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{not json", id="no-json"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b"\xff\xfe", id="bytes"),
        pytest.param(b"[" * 100_000, id="deep"),
        pytest.param(b"{}", id="nothing-in-it"),
    ],
)
def test_what_is_malformed_is_refused_without_repeating_it(
    served: Served, name: str, malformed: bytes
) -> None:
    answer = served.send(name, SENDERS[name].deliver(malformed))

    assert answer.status == 400
    assert answer.json()["status"] == "refused"
    assert served.hints == []
    assert served.counts == {(name, "malformed"): 1}


def test_after_something_malformed_the_next_is_taken(served: Served) -> None:
    served.send("harbor", HARBOR.deliver(b"{"))

    assert served.send("harbor", HARBOR.deliver()).status == 202
    assert len(served.hints) == 1


def test_what_is_of_no_interest_is_accepted(served: Served) -> None:
    ping = GITHUB.deliver(payloads.ping(), x_github_event="ping")

    assert served.send("github", ping).status == 202
    assert served.hints == []
    assert served.counts == {("github", "ignored"): 1}


def test_one_delivery_may_say_several_things(served: Served) -> None:
    served.send("quay", QUAY.deliver(payloads.quay(["3.12", "3.13"])))

    assert [str(one) for one in served.hints] == [
        str(ImageHint(ImageTag("quay.io", "corp/python", tag))) for tag in ("3.12", "3.13")
    ]


def test_what_comes_out_of_order_is_taken_as_it_comes(served: Served) -> None:
    for tag in ("3", "1", "2"):
        served.send("harbor", harbor(tag))

    assert [one.image.tag for one in served.hints if isinstance(one, ImageHint)] == ["3", "1", "2"]


def test_where_what_it_leads_to_fails_it_can_be_sent_again() -> None:
    hints: list[object] = []

    def take(hint: object, _by: str) -> float:
        hints.append(hint)
        if len(hints) == 1:
            raise RuntimeError("the engine is gone")
        return 5.0

    routes = make_routes({"harbor": hook_of("harbor", HARBOR)}, take)
    with serving(make_app(list, Metrics(Figures).exposition, routes), "127.0.0.1", 0) as port:
        answers = [Served(port).send("harbor", HARBOR.deliver()).status for _ in range(3)]

    assert answers == [500, 202, 202]
    assert len(hints) == 2


# -- what was seen already


@each
def test_what_is_replayed_is_accepted_and_dropped(served: Served, name: str) -> None:
    delivery = SENDERS[name].deliver()

    answers = [served.send(name, delivery).status for _ in range(3)]

    assert answers == [202] * 3
    assert tuple(served.hints) == SENDERS[name].hints
    assert served.counts == {(name, "taken"): 1, (name, "seen"): 2}


def test_a_delivery_with_a_name_is_known_for_an_hour(served: Served, clock: VirtualClock) -> None:
    seen = []
    for passes in (0.0, SAME_ID_S - 1, 2.0):
        clock.advance(passes)
        served.send("ghcr", GHCR.deliver())
        seen.append(len(served.hints))

    assert seen == [1, 1, 2]


def test_an_equal_body_is_another_push_once_the_first_was_looked_at(
    served: Served, clock: VirtualClock
) -> None:
    seen = []
    for passes in (0.0, served.wait_s - 1, 2.0):
        clock.advance(passes)
        served.send("quay", QUAY.deliver())
        seen.append(len(served.hints))

    assert seen == [1, 1, 2]


def test_the_same_words_of_two_senders_are_two_deliveries() -> None:
    heard = Served()
    hooks = {name: Hook(name, "harbor", Secret(SECRET), f"{name}.corp") for name in ("a", "b")}
    routes = make_routes(hooks, heard.take)
    with serving(make_app(list, Metrics(Figures).exposition, routes), "127.0.0.1", 0) as port:
        for name in hooks:
            Served(port).send(name, HARBOR.deliver())

    assert len(heard.hints) == 2
    assert heard.givers == ["webhook a", "webhook b"]


def test_a_distribution_that_sends_again_what_it_was_told_is_there_is_told_again(
    served: Served,
) -> None:
    delivery = DISTRIBUTION.deliver()

    assert {served.send("distribution", delivery).status for _ in range(5)} == {202}
    assert len(served.hints) == 1


# -- how large, how slow, how many


def raw(served: Served, head: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", served.port), timeout=30)
    client.sendall(f"POST /hooks/{head}\r\n\r\n".encode())
    return client


def status_of(client: socket.socket) -> int:
    return int(client.recv(65536).split(b" ")[1])


def test_who_says_that_it_is_too_large_is_refused_before_it_is_sent(served: Served) -> None:
    head = f"harbor HTTP/1.1\r\nHost: x\r\nContent-Length: {body.MOST_BYTES + 1}"
    with raw(served, head) as client:
        assert status_of(client) == 413
    assert served.counts == {("harbor", "too_large"): 1}


def test_a_stream_is_cut_off_where_it_becomes_too_large(served: Served) -> None:
    chunk = b"8000\r\n" + b" " * 0x8000 + b"\r\n"
    with raw(served, "harbor HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked") as client:
        for _ in range(body.MOST_BYTES // 0x8000):
            client.sendall(chunk)
        client.sendall(b"1\r\n \r\n")

        assert status_of(client) == 413
    assert served.counts == {("harbor", "too_large"): 1}
    assert served.hints == []


@pytest.mark.parametrize("name", ["harbor", "nobody"])
def test_the_largest_body_is_read_whoever_sends_it(served: Served, name: str) -> None:
    delivery = HARBOR.deliver()
    padded = replace(delivery, body=delivery.body.ljust(body.MOST_BYTES))

    assert served.send(name, padded).status == (202 if name == "harbor" else 404)


def test_a_chunked_delivery_is_taken(served: Served) -> None:
    delivery = HARBOR.deliver()
    with closing(served.connect()) as connection:
        parts = iter([delivery.body[:10], delivery.body[10:]])
        connection.request(
            "POST", "/hooks/harbor", parts, dict(delivery.headers), encode_chunked=True
        )
        assert connection.getresponse().status == 202

    assert len(served.hints) == 1


def test_who_is_too_slow_is_left(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "LONGEST_S", 0.05)
    with raw(served, "harbor HTTP/1.1\r\nHost: x\r\nContent-Length: 100") as client:
        client.sendall(b"{")

        assert status_of(client) == 408
        # And then nothing more.
        while client.recv(65536):
            pass
    assert served.counts == {("harbor", "too_slow"): 1}


def test_who_goes_before_the_end_is_counted_and_no_more(served: Served) -> None:
    with raw(served, "harbor HTTP/1.1\r\nHost: x\r\nContent-Length: 100") as client:
        client.sendall(b"{")

    assert served.send("harbor", HARBOR.deliver()).status == 202
    assert served.counts["harbor", "taken"] == 1
    assert served.counts.total() <= 2


def test_slow_and_large_ones_keep_nobody_out_who_sends_little(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = f"x HTTP/1.1\r\nHost: x\r\nContent-Length: {body.MOST_BYTES}"
    clients = [raw(served, large) for _ in range(body.LARGE_AT_ONCE + 5)]
    for client in clients:
        client.sendall(b" " * (body.SMALL_BYTES + 1))

    answer = served.send("harbor", HARBOR.deliver())

    for client in clients:
        client.close()
    assert answer.status == 202


def test_many_at_once_are_all_taken(served: Served) -> None:
    def send(first: int) -> None:
        with closing(served.connect()) as connection:
            for number in range(first, first + 25):
                assert post(connection, "harbor", harbor(f"t{number}")).status == 202

    threads = [threading.Thread(target=send, args=(first,)) for first in range(0, 200, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    tags = Counter(one.image.tag for one in served.hints if isinstance(one, ImageHint))
    assert tags == {f"t{number}": 1 for number in range(200)}


# -- what is told of it


def everything(served: Served) -> list[Answer]:
    """Deliveries with secrets wherever they can be, right and wrong."""
    answers = []
    for name, sender in SENDERS.items():
        for secret in (SECRET, "canary-another-secret"):
            answers.append(served.send(name, sender.deliver(secret=secret)))
            answers.append(served.send(name, sender.deliver(b'{"canary": 1', secret=secret)))
        wrong = replace(sender.deliver(), path_secret="canary-in-the-path")
        answers += [served.send(one, wrong) for one in (name, "canary-as-a-name", SECRET)]
    return answers


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the service writes down."""
    stream = io.StringIO()
    start_logging(json=True, verbosity=2, stream=stream)
    yield stream
    stop_logging()


def test_no_secret_is_in_an_answer_or_in_the_log(log: io.StringIO, served: Served) -> None:
    answers = everything(served)

    told = f"{answers}{log.getvalue()}{served.counts}"
    assert '"hook.received"' in told
    assert '"hook.refused"' in told
    assert "canary" not in told
    assert SECRET not in told


def test_what_is_taken_is_logged_with_the_name_of_the_hook(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "digestbot")

    served.send("harbor", HARBOR.deliver())
    served.send("harbor", HARBOR.deliver())

    assert [record.getMessage() for record in caplog.records] == [
        "hook.received hook='harbor' result='taken' hints=1"
    ]


def test_strangers_do_not_fill_the_log(
    served: Served, clock: VirtualClock, caplog: pytest.LogCaptureFixture
) -> None:
    def refused() -> int:
        for number in range(20):
            served.send(f"nobody-{number}", HARBOR.deliver())
        return len(caplog.records)

    caplog.set_level(logging.INFO, "digestbot")

    first, second = refused(), refused()
    clock.advance(11)
    third = refused()

    assert (first, second, third) == (1, 1, 2)
    assert served.counts == {("unknown", "refused"): 60}


def test_a_hook_that_says_what_is_wrong_says_it_to_its_own_sender(served: Served) -> None:
    answer = served.send("harbor", HARBOR.deliver({"type": 7}))

    assert json.loads(answer.body)["message"] == "type is not a text"
