"""The log: one line for each event, with its context, and no line that somebody else wrote."""

from __future__ import annotations

import contextvars
import io
import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from digestbot.scan.in_order import in_order
from digestbot.service.logs import (
    EVENTS,
    FIELDS,
    LONGEST_TRACE,
    LONGEST_VALUE,
    MOST_FIELDS,
    Event,
    bound,
    get_log,
    start_logging,
    stop_logging,
)
from tests.cli.program import ROOT

NAME = "digestbot.service.cycle"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Unspeakable:
    def __str__(self) -> str:
        raise ValueError("ghp_C4naryC4nary")

    def __repr__(self) -> str:
        return "unspeakable"


def fail(message: str) -> None:
    raise ValueError(message)


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the log goes, as JSON."""
    found = io.StringIO()
    start_logging(json=True, verbosity=0, stream=found)
    yield found
    stop_logging()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """Where the log goes, for people."""
    monkeypatch.setenv("TERM", "xterm")
    found = Terminal()
    start_logging(json=False, verbosity=0, stream=found)
    yield found
    stop_logging()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_object_with_its_fields_in_order(stream: io.StringIO) -> None:
    get_log(NAME).info(Event.CYCLE_FINISHED, repos=3, state="done")

    (line,) = lines(stream)
    assert list(line) == ["timestamp", "level", "event", "logger", "repos", "state"]
    assert line["event"] == "cycle.finished"
    assert line["level"] == "info"
    assert line["logger"] == NAME
    assert line["repos"] == 3


def test_the_time_is_in_utc(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1795219200.25)
    monkeypatch.setattr("time.time_ns", lambda: 1795219200_250_000_000)

    get_log(NAME).info(Event.CYCLE_FINISHED)

    assert lines(stream)[0]["timestamp"] == "2026-11-21T00:00:00.250Z"


def test_lines_of_the_standard_library_come_out_alike(stream: io.StringIO) -> None:
    logging.getLogger("digestbot.registry.transport").warning("%s is %d", "it", 3)

    (line,) = lines(stream)
    assert line["event"] == "message"
    assert line["message"] == "it is 3"
    assert line["logger"] == "digestbot.registry.transport"
    assert line["level"] == "warning"


def test_other_rooms_name_the_repo_without_knowing_of_this_one(stream: io.StringIO) -> None:
    extra = {"repo": "acme/app", "other": "not this"}

    logging.getLogger("digestbot.proposals.run").warning("no", extra=extra)

    assert lines(stream)[0]["repo"] == "acme/app"
    assert "other" not in lines(stream)[0]


def test_what_is_bound_stands_in_every_line_inside(stream: io.StringIO) -> None:
    log = get_log(NAME)

    with bound(run_id="r1"):
        with bound(repo="acme/app", image="python:3"):
            log.info(Event.REPO_UPDATED)
            logging.getLogger("digestbot.scan").warning("odd")
        log.info(Event.CYCLE_FINISHED)
    log.info(Event.SERVICE_STOPPED)

    found = [(line.get("run_id"), line.get("repo"), line.get("image")) for line in lines(stream)]
    inside = ("r1", "acme/app", "python:3")
    assert found == [inside, inside, ("r1", None, None), (None, None, None)]


def test_threads_have_what_is_bound_if_they_run_in_a_copy_of_the_context(
    stream: io.StringIO,
) -> None:
    log = get_log(NAME)

    def tell() -> None:
        log.info(Event.REPO_UPDATED)

    with bound(run_id="r1"):
        run = contextvars.copy_context().run
        threads = [threading.Thread(target=run, args=(tell,)), threading.Thread(target=tell)]
        for thread in threads:
            thread.start()
            thread.join()

    assert [line.get("run_id") for line in lines(stream)] == ["r1", None]


def test_the_threads_of_a_run_have_what_is_bound(stream: io.StringIO) -> None:
    log = get_log(NAME)

    def work(number: int) -> int:
        log.info(Event.REPO_UPDATED, number=number)
        return number

    with bound(run_id="r1"):
        assert list(in_order(work, range(20), jobs=4)) == list(range(20))

    assert [line["run_id"] for line in lines(stream)] == ["r1"] * 20


@pytest.mark.parametrize(
    "verbosity, levels",
    [
        (-2, ["error"]),
        (-1, ["warning", "error"]),
        (0, ["info", "warning", "error"]),
        (1, ["info", "warning", "error"]),
        (2, ["debug", "info", "warning", "error"]),
        (3, ["debug", "info", "warning", "error"]),
    ],
)
def test_verbosity_says_from_which_level_on(verbosity: int, levels: list[str]) -> None:
    stream = io.StringIO()
    start_logging(json=True, verbosity=verbosity, stream=stream)

    for name in (NAME, "digestbot"):
        log = get_log(name)
        for level in ("debug", "info", "warning", "error"):
            getattr(log, level)(Event.REPO_UPDATED)
    stop_logging()

    assert [line["level"] for line in lines(stream)] == levels * 2


@pytest.mark.parametrize("name", ["urllib3.connectionpool", "apscheduler", "uvicorn.error", "x"])
def test_libraries_are_heard_from_warnings_on(name: str) -> None:
    stream = io.StringIO()
    start_logging(json=True, verbosity=2, stream=stream)

    logging.getLogger(name).info("chatter")
    logging.getLogger(name).error("trouble")
    stop_logging()

    assert [line["message"] for line in lines(stream)] == ["trouble"]


@pytest.mark.parametrize(
    "hostile", ["a\nb", "a\r\nb", "a\x1b[2Jb", "a\u202eb", "a\x00b", "a\ud800b"], ids=ascii
)
@pytest.mark.parametrize("is_json", [True, False])
def test_a_value_is_no_line_of_its_own(hostile: str, is_json: bool) -> None:
    stream = io.StringIO()
    start_logging(json=is_json, verbosity=0, stream=stream)

    get_log(NAME).info(Event.REPO_UPDATED, repo=hostile, more={hostile: [hostile]})
    logging.getLogger("digestbot").warning("%s", hostile)
    stop_logging()

    text = stream.getvalue()
    assert len(text.splitlines()) == 2
    assert text.replace("\n", "").isprintable()


def test_a_trace_is_no_other_line_either(terminal: Terminal) -> None:
    try:
        fail("bad\n2026-11-21T00:00:00.000Z [info] all is well\x1b[2J")
    except ValueError:
        get_log(NAME).exception(Event.JOB_FAILED)

    first, *rest = terminal.getvalue().splitlines()
    assert "job.failed" in first
    assert rest
    assert all(line.startswith("  ") and line.isprintable() for line in rest)


@pytest.mark.parametrize("is_event", [True, False])
def test_an_error_has_its_trace_in_one_field(stream: io.StringIO, is_event: bool) -> None:
    try:
        fail("token ghp_C4naryC4nary")
    except ValueError:
        if is_event:
            get_log(NAME).exception(Event.JOB_FAILED)
        else:
            logging.getLogger(NAME).exception("failed")

    (line,) = lines(stream)
    assert "ValueError: token ghp_***" in line["exception"]
    assert "C4nary" not in stream.getvalue()


def test_an_error_may_be_told_after_it_was_caught(stream: io.StringIO) -> None:
    get_log(NAME).error(Event.JOB_FAILED, exc_info=ValueError("ghp_C4naryC4nary"))

    assert lines(stream)[0]["exception"].endswith("ValueError: ghp_***")


def test_values_have_an_end(stream: io.StringIO) -> None:
    fields: dict[str, Any] = {f"f{number}": number for number in range(100)}
    nested: list[Any] = []
    for _ in range(100):
        nested = [nested]

    get_log(NAME).info(Event.REPO_UPDATED, nested=nested, long="x" * 10**6, many=range(10**6))
    get_log(NAME).info(Event.REPO_UPDATED, many=list(range(10**5)), **fields)
    try:
        fail("x" * 10**6)
    except ValueError:
        get_log(NAME).exception(Event.JOB_FAILED)

    first, second, third = lines(stream)
    assert len(first["long"]) <= LONGEST_VALUE + 1
    assert len(second) <= MOST_FIELDS
    assert len(second["many"]) == MOST_FIELDS
    assert len(third["exception"]) < LONGEST_TRACE
    assert max(map(len, stream.getvalue().splitlines())) < 2 * LONGEST_TRACE


@pytest.mark.parametrize(
    "fields",
    [
        {"authorization": "C4nary"},
        {"headers": {"Authorization": "C4nary", "Cookie": ["C4nary"]}},
        {"registry_password": "C4nary"},
        {"github_token": b"C4nary"},
        {"url": "https://me:C4nary@ghcr.io/"},
        {"error": ValueError("sent Bearer C4nary0123")},
    ],
)
def test_secrets_are_masked_wherever_they_stand(
    stream: io.StringIO, fields: dict[str, Any]
) -> None:
    get_log(NAME).info(Event.LOOKUP_FAILED, **fields)

    assert "C4nary" not in stream.getvalue()
    assert "***" in stream.getvalue()


def test_numbers_stay_numbers(stream: io.StringIO) -> None:
    get_log(NAME).info(Event.CYCLE_FINISHED, a=1, b=0.5, c=True, d=None, tokens=3, e=float("nan"))

    line = lines(stream)[0]
    assert [line[key] for key in ("a", "b", "c", "d", "tokens", "e")] == [
        1,
        0.5,
        True,
        None,
        3,
        "nan",
    ]


def test_on_a_terminal_it_is_a_line_for_people(terminal: Terminal) -> None:
    with bound(repo="acme/app"):
        get_log(NAME).info(Event.REPO_UPDATED, pulls=2)
        logging.getLogger("digestbot").warning("a whole sentence")

    first, second = terminal.getvalue().splitlines()
    assert "\x1b[" in first
    assert "repo.updated" in first
    assert "acme/app" in first
    assert "a whole sentence" in second
    assert "message" not in second


@pytest.mark.parametrize("variable, value", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_may_be_declined(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    stream = Terminal()
    start_logging(json=False, verbosity=0, stream=stream)

    get_log(NAME).warning(Event.JOB_FAILED, why="it had to")
    stop_logging()

    assert "\x1b" not in stream.getvalue()
    assert "why='it had to'" in stream.getvalue()


@pytest.mark.parametrize("is_json", [True, False])
def test_a_line_that_cannot_be_written_is_said_to_be_missing(is_json: bool) -> None:
    stream = io.StringIO()
    start_logging(json=is_json, verbosity=0, stream=stream)

    get_log(NAME).warning(Event.JOB_FAILED, what=Unspeakable())
    stop_logging()

    assert lines(stream) == [{"event": "log.failed", "logger": NAME}]


def test_a_stream_that_is_gone_stops_nobody() -> None:
    stream = io.StringIO()
    start_logging(json=True, verbosity=0, stream=stream)
    stream.close()

    get_log(NAME).warning(Event.JOB_FAILED)

    stop_logging()


def test_starting_again_takes_the_place_of_the_first(stream: io.StringIO) -> None:
    other = io.StringIO()
    start_logging(json=True, verbosity=0, stream=other)

    get_log(NAME).info(Event.CYCLE_STARTED)

    assert stream.getvalue() == ""
    assert len(lines(other)) == 1


def test_after_the_end_all_is_as_before() -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("digestbot").level)

    start_logging(json=True, verbosity=2, stream=io.StringIO())
    stop_logging()

    assert (list(root.handlers), root.level, logging.getLogger("digestbot").level) == before


def test_each_event_and_each_field_is_explained() -> None:
    assert EVENTS.keys() == set(Event)
    assert all(meaning.endswith(".") for meaning in [*EVENTS.values(), *FIELDS.values()])


def test_who_starts_no_log_is_told_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    code = (
        "from digestbot.service.logs import Event, get_log\n"
        f"get_log({NAME!r}).warning(Event.LOOKUP_FAILED, code='unavailable')\n"
    )

    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)

    assert capfd.readouterr() == ("", "")


def test_a_handler_that_knows_no_fields_is_given_words() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger(NAME).addHandler(handler)

    get_log(NAME).warning(Event.LOOKUP_FAILED, code="unavailable", tries=2)
    logging.getLogger(NAME).removeHandler(handler)

    assert stream.getvalue() == "lookup.failed code='unavailable' tries=2\n"
