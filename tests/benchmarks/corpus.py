"""A corpus of Dockerfiles as people write them, the same at every run."""

from __future__ import annotations

import random

BASES = ("python:3.12-slim", "golang:1.25", "node:22-alpine", "ghcr.io/acme/base:v2", "debian:12")
STEPS = (
    "RUN apt-get update && \\\n    apt-get install -y curl && \\\n    rm -rf /var/lib/apt/lists/*",
    "COPY requirements.txt /app/",
    "RUN --mount=type=cache,target=/root/.cache pip install -r /app/requirements.txt",
    "# Keep this in step with the chart",
    "ENV PATH=/opt/bin:$PATH \\\n    LANG=C.UTF-8",
    'LABEL org.opencontainers.image.source="https://example.org/app"',
    "WORKDIR /app\nCOPY . .",
    "RUN <<EOF\nset -e\nmake all\nFROM is not an instruction here\nEOF",
    "RUN make -j4 && make install",
    'HEALTHCHECK --interval=30s CMD ["/app/health"]',
)


def dockerfile(number: int) -> bytes:
    """Dockerfile number N: one to three stages, a few instructions each, most pins by digest."""
    chance = random.Random(number)
    lines = []
    if chance.random() < 0.3:
        lines.append("# syntax=docker/dockerfile:1")
    if chance.random() < 0.3:
        lines.append(f"ARG VERSION={chance.randrange(9)}.{chance.randrange(30)}")
    stages = chance.choice((1, 1, 2, 3))
    for stage in range(stages):
        pin = f"@sha256:{chance.getrandbits(256):064x}" if chance.random() < 0.8 else ""
        name = f" AS stage{stage}" if stage < stages - 1 else ""
        lines.append(f"FROM {chance.choice(BASES)}{pin}{name}")
        lines += chance.choices(STEPS, k=chance.randrange(4, 14))
        if stage:
            lines.append(f"COPY --from=stage{stage - 1} /app /app")
    lines.append('CMD ["app"]')
    return "\n".join([*lines, ""]).encode()
