"""The log of the service: one line for each event, for programs or for people.

Everything goes through the standard library's `logging`, so that the lines of all rooms and of
all libraries come out in one form, on one stream.
"""

from __future__ import annotations

import json as json_format
import logging
import math
import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from itertools import islice
from typing import TextIO

import structlog
from structlog.stdlib import BoundLogger, ExtraAdder, ProcessorFormatter, filter_by_level
from structlog.typing import EventDict, Processor

from digestbot.report.plain import one_line
from digestbot.service.masking import MASK, SECRET_KEY, masked

LONGEST_VALUE = 600
LONGEST_TRACE = 8000
MOST_FIELDS = 40
DEEPEST = 3


class Event(StrEnum):
    """What a line of the log is about."""

    SERVICE_STARTED = "service.started"
    SERVICE_STOPPING = "service.stopping"
    SERVICE_STOPPED = "service.stopped"
    CYCLE_STARTED = "cycle.started"
    CYCLE_FINISHED = "cycle.finished"
    TARGET_FAILED = "target.failed"
    REPO_UPDATED = "repo.updated"
    REPO_FAILED = "repo.failed"
    IMAGE_MOVED = "image.moved"
    PROPOSAL_OPENED = "proposal.opened"
    PROPOSAL_CHANGED = "proposal.changed"
    LOOKUP_FAILED = "lookup.failed"
    JOB_FAILED = "job.failed"
    NOTIFICATION_SENT = "notification.sent"
    NOTIFICATION_FAILED = "notification.failed"
    HOOK_RECEIVED = "hook.received"
    HOOK_REFUSED = "hook.refused"
    ROLLOUT_CHANGED = "rollout.changed"
    ROLLOUT_CHASED = "rollout.chased"
    ROLLOUT_BACKSLID = "rollout.backslid"
    ROLLOUT_TAG_MOVED = "rollout.tag_moved"
    ROLLOUT_FAILED = "rollout.failed"
    LOGIN_OK = "login.ok"
    LOGIN_FAILED = "login.failed"
    BEARER_REFUSED = "bearer.refused"
    ACT_ASKED = "act.asked"
    ACT_REFUSED = "act.refused"
    STATE_FAILED = "state.failed"
    MESSAGE = "message"
    LOG_FAILED = "log.failed"


EVENTS = {
    Event.SERVICE_STARTED: "The service runs.",
    Event.SERVICE_STOPPING: "It was asked to end, and begins nothing more.",
    Event.SERVICE_STOPPED: "It ends.",
    Event.CYCLE_STARTED: "A cycle begins; all of its lines have the same `run_id`.",
    Event.CYCLE_FINISHED: "A cycle is over, with its state and counts.",
    Event.TARGET_FAILED: "The repos of a target could not be listed.",
    Event.REPO_UPDATED: "A repo was looked at, and brought up to date as far as is allowed.",
    Event.REPO_FAILED: "A repo could not be looked at, or not written to.",
    Event.IMAGE_MOVED: "A tag has another digest than before.",
    Event.PROPOSAL_OPENED: "A pull request is new.",
    Event.PROPOSAL_CHANGED: "Something else became of a pull request.",
    Event.LOOKUP_FAILED: "A registry gave no answer about a tag.",
    Event.JOB_FAILED: "A job ended with an error.",
    Event.NOTIFICATION_SENT: "Somebody was told what changed.",
    Event.NOTIFICATION_FAILED: "Somebody could not be told.",
    Event.HOOK_RECEIVED: "A webhook told of something; what that is about is looked at.",
    Event.HOOK_REFUSED: "What was posted to a webhook was not taken; most such lines are left out.",
    Event.ROLLOUT_CHANGED: "A rollout got to another wave, halted, or ended.",
    Event.ROLLOUT_CHASED: "Something was done about a pull request that stays open.",
    Event.ROLLOUT_BACKSLID: "A repo that a rollout was through with went back.",
    Event.ROLLOUT_TAG_MOVED: "A tag moved after the plan was made; the rollout keeps to its plan.",
    Event.ROLLOUT_FAILED: "A step of a rollout did not work; it is tried again.",
    Event.LOGIN_OK: "Somebody signed in on the dashboard.",
    Event.LOGIN_FAILED: "Somebody tried to sign in with a token that is nobody's.",
    Event.BEARER_REFUSED: "A program sent a token that is nobody's; most such lines are left out.",
    Event.ACT_ASKED: "Somebody asked for something on the dashboard.",
    Event.ACT_REFUSED: "What somebody asked for on the dashboard is not done.",
    Event.STATE_FAILED: "The state could not be read or written.",
    Event.MESSAGE: "Anything else; the text is in `message`.",
    Event.LOG_FAILED: "A line could not be written.",
}

FIELDS = {
    "timestamp": "When, in UTC.",
    "level": "`debug`, `info`, `warning`, `error` or `critical`.",
    "event": "What it is about: one of the words below.",
    "logger": "Which part of the program says it.",
    "run_id": "Which cycle it belongs to.",
    "repo": "Which repo it is about.",
    "image": "Which image it is about.",
    "job": "Which job it belongs to.",
    "message": "What is said in words.",
    "exception": "Where in the program it went wrong.",
}
"""Fields of a line, in their order; events have others of their own."""

_BOUND = frozenset({"run_id", "repo", "image", "job"})
_LEVELS = {-1: logging.WARNING, 0: logging.INFO, 1: logging.INFO}


# With it, `logging` does not print warnings by itself where no other handler is.
_UNHEARD = logging.NullHandler()


class _Line(dict[str, object]):
    """An event with its fields; a handler that knows nothing of those writes them as words."""

    def __str__(self) -> str:
        fields = [f"{key}={value!r}" for key, value in self.items() if key != "event"]
        return " ".join([str(self.get("event", "")), *fields])


def get_log(name: str) -> BoundLogger:
    """The log of a module, for events with fields: `log.info(Event.REPO_UPDATED, pulls=1)`.

    Until `start_logging` nobody hears of them who does not ask: commands have reports of their
    own.
    """
    inner = logging.getLogger(name)
    inner.addHandler(_UNHEARD)
    logger: BoundLogger = structlog.wrap_logger(
        inner,
        processors=[filter_by_level, _as_line, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
    )
    return logger


@contextmanager
def bound(**fields: str) -> Generator[None, None, None]:
    """Every line that is logged inside has these fields: `run_id`, `repo`, `image`, `job`.

    Threads that are started inside have them only if they are started in a copy of the context.
    """
    with structlog.contextvars.bound_contextvars(**fields):
        yield


def start_logging(*, json: bool, verbosity: int, stream: TextIO) -> None:
    """Send the log to a stream, from now on and until `stop_logging`.

    Args:
        json: One JSON object a line; otherwise lines for people, in colour where the stream is a
            terminal and `NO_COLOR` is not set.
        verbosity: 0 is what happens, 2 every request, -1 warnings, -2 errors.
        stream: Whatever happens to it, logging never fails.
    """
    stop_logging()
    handler = _Handler(stream)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=[ExtraAdder(allow=_BOUND), _name_message],
            processors=[
                structlog.contextvars.merge_contextvars,
                structlog.processors.format_exc_info,
                _collect,
                _disarm,
                *([_render_json] if json else [_speak, _console(is_colorful=_is_colorful(stream))]),
            ],
        )
    )
    level = _LEVELS.get(verbosity, logging.DEBUG if verbosity > 0 else logging.ERROR)
    root = logging.getLogger()
    root.addHandler(handler)
    # Libraries have more to say than anybody wants to read.
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("digestbot").setLevel(level)


def stop_logging() -> None:
    """End what `start_logging` began; the stream is left open."""
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(handler)
        handler.close()
        root.setLevel(logging.WARNING)
        logging.getLogger("digestbot").setLevel(logging.NOTSET)


class _Handler(logging.StreamHandler[TextIO]):
    """Writes whole lines, and does not repeat in a trace what it could not write."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is set
        """Say that a line is missing, if even that can be said."""
        line = json_format.dumps({"event": Event.LOG_FAILED, "logger": record.name})
        try:
            self.stream.write(f"{line}\n")
            self.stream.flush()
        except (OSError, RuntimeError, ValueError):
            return


def _as_line(_logger: object, _level: str, line: EventDict) -> _Line:
    return _Line(line)


def _name_message(_logger: object, _level: str, line: EventDict) -> EventDict:
    """What comes as a sentence is a `message`, as events are words from a list."""
    return {"event": Event.MESSAGE, "message": line.pop("event"), **line}


def _collect(_logger: object, _level: str, line: EventDict) -> EventDict:
    """The fields that each line has, in their order, before its own."""
    record: logging.LogRecord = line.pop("_record")
    line.pop("_from_structlog")
    time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    line["timestamp"] = time.replace("+00:00", "Z")
    line["level"] = record.levelname.lower()
    line["logger"] = record.name
    first = {key: line.pop(key) for key in FIELDS if key in line}
    return {**first, **line}


def _disarm(_logger: object, _level: str, line: EventDict) -> EventDict:
    """Nothing in a line is secret, endless, or a line of its own."""
    trace = line.pop("exception", None)
    fields = islice(line.items(), MOST_FIELDS)
    line = {_name(key): _harmless(key, value) for key, value in fields}
    if trace is not None:
        lines = masked(str(trace)[-LONGEST_TRACE:]).split("\n")
        line["exception"] = "\n".join(f"  {one_line(one, LONGEST_VALUE)}" for one in lines)
    return line


def _harmless(key: object, value: object, depth: int = 0) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        # JSON has no word for the others.
        return value if math.isfinite(value) else str(value)
    if SECRET_KEY.search(str(key)):
        return MASK
    if isinstance(value, Mapping) and depth < DEEPEST:
        items = islice(value.items(), MOST_FIELDS)
        return {_name(name): _harmless(name, one, depth + 1) for name, one in items}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
        return [_harmless(key, one, depth + 1) for one in islice(value, MOST_FIELDS)]
    return _text(value)


@lru_cache(maxsize=256, typed=True)
def _name(key: object) -> str:
    """The name of a field: there are few, and some are in every line."""
    return _text(key)


def _text(value: object) -> str:
    return one_line(masked(str(value)), LONGEST_VALUE)


def _render_json(_logger: object, _level: str, line: EventDict) -> str:
    return json_format.dumps(line, ensure_ascii=False)


def _speak(_logger: object, _level: str, line: EventDict) -> EventDict:
    """People are shown a sentence itself, not that it is one."""
    if line["event"] == Event.MESSAGE:
        line["event"] = line.pop("message", "")
    return line


def _console(*, is_colorful: bool) -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=is_colorful,
        sort_keys=False,
        exception_formatter=structlog.dev.plain_traceback,
    )


def _is_colorful(stream: TextIO) -> bool:
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return stream.isatty()
