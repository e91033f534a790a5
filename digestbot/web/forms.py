"""What a form sends: so large, so slow, and each field once."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

MOST_BYTES = 16 * 1024
MOST_FIELDS = 32
LONGEST_S = 10.0
_TYPE = "application/x-www-form-urlencoded"


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a form.

    Raises:
        HTTPException: It is none, too large, too slow, or has a field twice.
    """
    told = request.headers.get("content-type")
    if told is not None and told.partition(";")[0].strip().lower() != _TYPE:
        raise HTTPException(415, "a form is expected")
    try:
        async with asyncio.timeout(LONGEST_S):
            body = await _read(request)
    except TimeoutError:
        raise HTTPException(408, "the form took too long") from None
    except ClientDisconnect:
        raise HTTPException(400, "the form ended too soon") from None
    if body and told is None:
        raise HTTPException(415, "a form is expected")
    # Programs that say nothing more than the address send nothing at all.
    return _fields_in(body)


async def _read(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        if len(body) + len(chunk) > MOST_BYTES:
            raise HTTPException(413, "the form is too large")
        body += chunk
    return bytes(body)


def _fields_in(body: bytes) -> dict[str, str]:
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise HTTPException(400, "the form cannot be read") from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise HTTPException(400, "the form has a field twice")
    return fields
