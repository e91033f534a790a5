"""Many lookups at once, each question asked once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import copy_context
from functools import partial
from queue import Empty, SimpleQueue

from digestbot.errors import DigestbotError
from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution, Resolver
from digestbot.scan.result import Problem

Answer = Resolution | RegistryError
_log = logging.getLogger(__name__)


def look_up(
    queries: Iterable[Query],
    resolver: Resolver,
    *,
    jobs: int,
    on_answer: Callable[[Query, Answer], None] = lambda _query, _answer: None,
) -> dict[Query, Answer]:
    """The answer to each distinct query; `on_answer` is called in this thread for each.

    The workers are daemon threads, unlike those of `concurrent.futures`, so that Ctrl-C does
    not have to wait for a registry that hangs.
    """
    waiting: SimpleQueue[Query] = SimpleQueue()
    answered: SimpleQueue[tuple[Query, Answer]] = SimpleQueue()
    distinct = dict.fromkeys(queries)
    for query in distinct:
        waiting.put(query)

    def work() -> None:
        while True:
            try:
                query = waiting.get_nowait()
            except Empty:
                return
            # In a copy: what is bound for one query is not meant for the next.
            answered.put((query, copy_context().run(_ask, query, resolver)))

    context = copy_context()
    for _ in range(min(jobs, len(distinct))):
        # What a log is told of the run is known in its threads, too.
        run = partial(context.copy().run, work)
        threading.Thread(target=run, name="digestbot-lookup", daemon=True).start()
    answers: dict[Query, Answer] = {}
    for _ in distinct:
        query, answer = answered.get()
        answers[query] = answer
        on_answer(query, answer)
    return answers


def lookup_problems(answers: Mapping[Query, Answer]) -> Iterator[Problem]:
    """One problem per host and cause, however many images it hit."""
    grouped: dict[tuple[str, str], list[RegistryError]] = {}
    for answer in answers.values():
        if isinstance(answer, RegistryError):
            grouped.setdefault((answer.host, answer.code), []).append(answer)
    for (host, code), errors in sorted(grouped.items()):
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        yield Problem("registry", host, code, f"{errors[0]}{more}", errors[0].hint)


def _ask(query: Query, resolver: Resolver) -> Answer:
    """The answer, or an error of this question alone: one image never ends the run."""
    try:
        return resolver.resolve(query)
    except RegistryError as error:
        return error
    except DigestbotError as error:
        host = query.image.registry
        return RegistryError(f"{query}: {error}", code="credentials", host=host, hint=error.hint)
    except Exception as error:  # noqa: BLE001 - contained, and reported
        _log.debug("the lookup of %s failed", query, exc_info=True)
        message = f"{query}: digestbot itself failed ({type(error).__name__})"
        hint = "please report it, with what `-vv` prints"
        return RegistryError(message, code="internal", host=query.image.registry, hint=hint)
