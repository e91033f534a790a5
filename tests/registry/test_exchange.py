"""Pauses, retries, and when a host is given up."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from digestbot.registry.errors import RegistryError
from digestbot.registry.exchange import RETRIED
from digestbot.registry.pace import Deadline, Pace
from digestbot.registry.resolver import RegistryResolver
from digestbot.registry.settings import HostSettings, RegistrySettings
from tests.registries.fake import Answer, Call, FakeRegistry
from tests.registries.tokens import TokenAuth
from tests.registry.asking import FakeTime, ask, ask_in_vain, error_of, make_query


class TestRetries:
    @pytest.mark.parametrize("status", sorted(RETRIED))
    def test_failure_that_may_pass_is_asked_again(self, fake: FakeRegistry, status: int) -> None:
        digest = fake.local.add("app", "1")
        fake.local.script(Answer.error(status), Answer.error(status))
        time = FakeTime()

        assert ask(f"{fake.host}/app:1", time=time).digest == digest
        assert time.slept == [1.0, 3.0]

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 412, 418, 501, 505])
    def test_failure_that_will_not_pass_is_not(self, fake: FakeRegistry, status: int) -> None:
        fake.local.always(Answer.error(status))
        time = FakeTime()

        ask_in_vain(f"{fake.host}/app:1", time=time)

        assert time.slept == []
        assert len(fake.local.calls) <= 2

    def test_broken_connection_is_asked_again(self, fake: FakeRegistry) -> None:
        digest = fake.local.add("app", "1")
        fake.local.script(Answer(raw=b""), Answer(raw=b"HTTP/1.1 200 OK\r\nConte"))

        assert ask(f"{fake.host}/app:1").digest == digest

    def test_three_tries_are_enough(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.error(503))

        error = ask_in_vain(f"{fake.host}/app:1")

        assert error.code == "unavailable"
        assert "503" in str(error)
        assert len(fake.local.calls) == 3

    def test_retries_may_be_turned_off(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.error(503))

        ask_in_vain(f"{fake.host}/app:1", RegistrySettings(retries=0))

        assert len(fake.local.calls) == 1


class TestWaiting:
    @pytest.mark.parametrize(
        "header, slept",
        [
            pytest.param("7", 7.0, id="seconds"),
            pytest.param("Sat, 21 Nov 2026 00:00:09 GMT", 9.0, id="date"),
            pytest.param("1795219211", 11.0, id="timestamp"),
            pytest.param("0", 1.0, id="at-once-is-too-soon"),
            pytest.param("nonsense", 1.0, id="nonsense"),
        ],
    )
    def test_host_says_how_long(self, fake: FakeRegistry, header: str, slept: float) -> None:
        digest = fake.local.add("app", "1")
        fake.local.script(Answer.error(429, "TOOMANYREQUESTS", ("Retry-After", header)))
        time = FakeTime()

        assert ask(f"{fake.host}/app:1", time=time).digest == digest
        assert time.slept == [slept]

    def test_wait_beyond_the_deadline_stops_the_host_at_once(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.error(429, "TOOMANYREQUESTS", ("Retry-After", "31")))
        time = FakeTime()

        with RegistryResolver(RegistrySettings(timeout_s=30), clock=time.clock) as resolver:
            first = error_of(resolver, f"{fake.host}/app:1")
            second = error_of(resolver, f"{fake.host}/other:2")

        assert (first.code, second.code) == ("rate-limited", "rate-limited")
        assert "asks to wait 31 s" in str(first)
        assert str(second).startswith(f"{fake.host}/other:2: ")
        assert time.slept == []
        assert len(fake.local.calls) == 1

    def test_limit_without_end_stops_the_host_after_three_tries(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.error(429))

        with RegistryResolver(clock=FakeTime().clock) as resolver:
            codes = [error_of(resolver, f"{fake.host}/app:{n}").code for n in range(5)]

        assert set(codes) == {"rate-limited"}
        assert len(fake.local.calls) == 3

    def test_pause_is_shared_by_all_threads(self) -> None:
        time = FakeTime()
        pace = Pace("r.example", 8, time.clock)
        pace.pause(5.0)

        with pace.slot(Deadline.after(30, time.clock)):
            pass

        assert time.slept == [5.0]

    def test_pause_beyond_the_deadline_fails_without_waiting(self) -> None:
        time = FakeTime()
        pace = Pace("r.example", 8, time.clock)
        pace.pause(50.0)

        with pytest.raises(RegistryError) as caught, pace.slot(Deadline.after(30, time.clock)):
            pass

        assert caught.value.code == "timeout"
        assert time.slept == []


class TestPatience:
    def test_a_host_that_is_slow_on_purpose_is_given_up(self) -> None:
        time = FakeTime()
        pace = Pace("slow.example", 8, time.clock, patience_s=60)

        for _ in range(3):
            pace.waited(29)

        with pytest.raises(RegistryError, match="slow") as caught, pace.slot(far(time)):
            pass
        assert caught.value.code == "timeout"
        assert "registries.slow.example" in caught.value.hint

    def test_a_host_that_asks_for_pauses_again_and_again_is_given_up(self) -> None:
        time = FakeTime()
        pace = Pace("slow.example", 8, time.clock, patience_s=60)

        def ask() -> None:
            for _ in range(100):
                with pace.slot(far(time)):
                    pace.pause(2)

        with pytest.raises(RegistryError, match="pauses"):
            ask()

        assert sum(time.slept) < 70

    def test_a_pause_that_many_are_asked_for_at_once_counts_once(self) -> None:
        time = FakeTime()
        pace = Pace("r.example", 8, time.clock, patience_s=60)

        for _ in range(100):
            pace.pause(9)

        pace.check()

    def test_many_quick_answers_cost_no_patience(self) -> None:
        pace = Pace("r.example", 8, FakeTime().clock, patience_s=60)

        for _ in range(1000):
            pace.waited(1)

        pace.check()


def far(time: FakeTime) -> Deadline:
    return Deadline.after(10_000, time.clock)


class TestGivingUp:
    def test_host_that_is_down_is_tried_once(self) -> None:
        names = [f"127.0.0.1:1/app:{n}" for n in range(20)]

        with RegistryResolver(clock=FakeTime().clock) as resolver:
            errors = [error_of(resolver, name) for name in names]
            counts = resolver.counts()["127.0.0.1:1"]

        assert {error.code for error in errors} == {"unreachable"}
        assert counts.total == 1

    def test_host_that_never_answers_is_given_up_after_one_lookup(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer(raw=b""))

        with RegistryResolver(clock=FakeTime().clock) as resolver:
            codes = {error_of(resolver, f"{fake.host}/app:{n}").code for n in range(10)}

        assert codes == {"unavailable"}
        assert len(fake.local.calls) == 3

    def test_image_that_breaks_the_registry_does_not_sink_the_others(
        self, fake: FakeRegistry
    ) -> None:
        digest = fake.local.add("good", "1")
        fake.local.always(Answer.error(500), path="/v2/bad")

        with RegistryResolver(clock=FakeTime().clock) as resolver:
            codes = [error_of(resolver, f"{fake.host}/bad:{n}").code for n in range(2)]
            answer = resolver.resolve(make_query(f"{fake.host}/good:1"))

        assert codes == ["unavailable", "unavailable"]
        assert answer.digest == digest

    def test_three_lost_lookups_in_a_row_are_enough(self, fake: FakeRegistry) -> None:
        fake.local.always(Answer.error(500))

        with RegistryResolver(clock=FakeTime().clock) as resolver:
            for n in range(10):
                error_of(resolver, f"{fake.host}/bad:{n}")

        assert len(fake.local.calls) == 3 * 3

    def test_public_registry_cannot_talk_a_private_one_down(self, world: FakeRegistry) -> None:
        private = "10.255.255.1:1"
        digest = world.site(private).add("app", "1")
        evil = TokenAuth(world.site("evil.example"), world.site("evil.example"))
        evil.challenge = lambda *_: f'Bearer realm="https://{private}/token"'
        settings = RegistrySettings(hosts={private: HostSettings()})

        with RegistryResolver(settings) as resolver:
            error = error_of(resolver, "evil.example/app:1")
            answer = resolver.resolve(make_query(f"{private}/app:1"))

        assert error.code == "private-address"
        assert answer.digest == digest

    def test_other_hosts_go_on(self, fake: FakeRegistry) -> None:
        digest = fake.local.add("app", "1")

        with RegistryResolver(clock=FakeTime().clock) as resolver:
            error_of(resolver, "127.0.0.1:1/app:1")
            answer = resolver.resolve(make_query(f"{fake.host}/app:1"))

        assert answer.digest == digest


class TestConcurrency:
    @pytest.mark.parametrize("slots", [1, 3])
    def test_host_is_asked_so_many_questions_at_a_time(
        self, fake: FakeRegistry, slots: int
    ) -> None:
        lock, now, most = threading.Lock(), 0, 0
        fake.local.add("app", "0")

        def count(call: Call) -> Answer | None:
            nonlocal now, most
            with lock:
                now += 1
                most = max(most, now)
            threading.Event().wait(0.005)
            with lock:
                now -= 1
            return fake.local.hold(call)

        fake.local.rules.append(count)
        for n in range(20):
            fake.local.add("app", str(n))
        settings = RegistrySettings(hosts={fake.host: HostSettings(concurrency=slots)})

        with RegistryResolver(settings) as resolver, ThreadPoolExecutor(16) as pool:
            list(
                pool.map(lambda n: resolver.resolve(make_query(f"{fake.host}/app:{n}")), range(20))
            )

        assert most == slots

    def test_waiting_for_a_slot_ends_with_the_deadline(self) -> None:
        time = FakeTime()
        pace = Pace("r.example", 1, time.clock)

        with (
            pace.slot(Deadline.after(30, time.clock)),
            pytest.raises(RegistryError) as caught,
            pace.slot(Deadline.after(0, time.clock)),
        ):
            pass

        assert caught.value.code == "timeout"

    def test_slots_are_given_back_after_an_error(self) -> None:
        time = FakeTime()
        pace = Pace("r.example", 1, time.clock)

        for _ in range(3):
            with pytest.raises(KeyError), pace.slot(Deadline.after(1, time.clock)):
                raise KeyError

        with pace.slot(Deadline.after(1, time.clock)):
            pass
