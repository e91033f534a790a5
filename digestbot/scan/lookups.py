"""Many lookups at once, each question asked once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from queue import Empty, SimpleQueue

from digestbot.registry.errors import RegistryError
from digestbot.registry.resolution import Query, Resolution, Resolver

Answer = Resolution | RegistryError


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
    answered: SimpleQueue[tuple[Query, Answer | BaseException]] = SimpleQueue()
    distinct = dict.fromkeys(queries)
    for query in distinct:
        waiting.put(query)

    def work() -> None:
        while True:
            try:
                query = waiting.get_nowait()
            except Empty:
                return
            try:
                answered.put((query, resolver.resolve(query)))
            except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
                answered.put((query, error))

    for _ in range(min(jobs, len(distinct))):
        threading.Thread(target=work, name="digestbot-lookup", daemon=True).start()
    answers: dict[Query, Answer] = {}
    for _ in distinct:
        query, answer = answered.get()
        if isinstance(answer, BaseException) and not isinstance(answer, RegistryError):
            raise answer
        answers[query] = answer
        on_answer(query, answer)
    return answers
