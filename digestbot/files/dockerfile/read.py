"""From a Dockerfile's bytes to its occurrences: what BuildKit would pull, or why nothing."""

from __future__ import annotations

from digestbot.files.dockerfile.images import find_images
from digestbot.files.dockerfile.record import TEMPLATE_MARKS, Recorder
from digestbot.files.dockerfile.rejection import RejectedError
from digestbot.files.dockerfile.source import Source
from digestbot.files.dockerfile.syntax import syntax_of
from digestbot.files.occurrence import Occurrence, Skip

_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def read(path: str, data: bytes) -> list[Occurrence]:
    """Every image reference of a Dockerfile, in the order they stand.

    Stages, stage numbers and `scratch` are no images. A file that BuildKit would refuse holds
    none, but for its frontend image, and one occurrence of the kind `file` that says why.
    """
    source = Source.of(data)
    recorder = Recorder(path, source)
    # Every other byte of UTF-16 is NUL where the text is ASCII.
    if data.startswith(_MARKS) or data.count(0) * 3 > len(data):
        message = "the file is not in UTF-8, the only encoding that BuildKit reads"
        return [recorder.file(1, Skip("encoding", message))]
    found: list[Occurrence] = []
    syntax = syntax_of(source)
    if syntax is not None:
        found.append(recorder.image("syntax", syntax, syntax))
    try:
        return [*found, *find_images(source, recorder)]
    except RejectedError as error:
        return [*found, recorder.file(error.line, _explain(error, source, found))]


def _explain(error: RejectedError, source: Source, frontends: list[Occurrence]) -> Skip:
    message = f"line {error.line}: {error}"
    if TEMPLATE_MARKS.search(source.lines[error.line - 1]):
        return Skip("template", f"this is a template, not yet a Dockerfile ({message})")
    for frontend in frontends:
        if frontend.reference is None or "dockerfile" not in frontend.reference.repository:
            other = f"{frontend.written} reads this file, not as a Dockerfile ({message})"
            return Skip("foreign-frontend", other)
    return Skip(error.reason, message)
