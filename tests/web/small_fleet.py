"""A dozen repos with everything worth seeing, from a denied digest to names that want to harm."""

from __future__ import annotations

from datetime import timedelta

from digestbot.image import ImageTag
from digestbot.registry.resolution import Query
from digestbot.scan.result import Problem
from digestbot.store.tables import SCHEDULES
from tests.web.rows import DAY, HOUR, Image, Pin, Rows, hex_of

SCRIPT = "<script>alert(1)</script>"
QUOTES = "\"><img src=x onerror='alert(1)'>"
# Written backwards from the middle on, in a terminal or a browser that obeys.
OVERRIDE = "Dockerfile\u202eelifrekcoD"
LONG_NAME = "acme/" + "a-repo-with-a-name-as-long-as-github-takes-" * 2 + "and-more-of-it"
LONG_TAG = "2026.11.21-build.4711-" + "x" * 106
RUNS = 60
HARBOR = "webhook harbor"
ASKERS = [["ann (scan now)"], [HARBOR], [HARBOR, f"eve{SCRIPT} (try again)"], []]
NODE = ImageTag("docker.io", "library/node", LONG_TAG)
DENIED = f"sha256:{hex_of(Query(NODE), 0)}"
"""What the tag had first."""


def fill(rows: Rows) -> None:
    """Put everything in."""
    fleet = _Small(rows)
    fleet.add_repos()
    fleet.add_others()
    fleet.add_runs()
    fleet.add_tallies()
    fleet.add_conditions()


class _Small:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        tag = ImageTag
        hub = "docker.io"
        self.python = rows.image(tag(hub, "library/python", "3.12-slim"), [150, 121, 40, 12, 2])
        self.nginx = rows.image(tag(hub, "library/nginx", "1.27"), [130, 95, 30, 9])
        self.alpine = rows.image(tag(hub, "library/alpine", "3.20"), [100])
        base = [day / 4 for day in range(1, 60)]
        self.base = rows.image(tag("ghcr.io", "acme/base", "latest"), [90, *base])
        self.java = rows.image(
            tag("registry.corp.example:5000", "platform/java", "21"),
            [80, 5],
            platform="linux/arm64",
            offer="hold:platform-lost",
        )
        self.distroless = rows.image(
            tag("gcr.io", "distroless/static-debian12", "nonroot"), [60, 1 / 24], offer="hold"
        )
        self.node = rows.image(NODE, [70, 20])
        self.prometheus = rows.image(
            tag("quay.io", "prometheus/prometheus", "v3"),
            [50],
            failing_since=rows.now - 3 * DAY,
            failing_host="quay.io",
            failing_code="unauthorized",
            failing_message="quay.io answers 401 to prometheus/prometheus:v3: <b>no</b> token",
            checked_at=rows.now - 3 * DAY,
        )
        self.lost = rows.image(
            tag("registry.gone.example", "team/tool", "stable"),
            failing_since=rows.now - 40 * DAY,
            failing_host="registry.gone.example",
            failing_code="unreachable",
            failing_message="registry.gone.example cannot be reached: no such host",
        )

    def add_repos(self) -> None:
        """Those that are worked on."""
        rows, now = self.rows, self.rows.now
        shop = rows.repo(
            "acme/shop",
            [
                Pin(self.python, 1, line=3),
                Pin(self.nginx, 1, path="web/Dockerfile", line=12),
                Pin(self.alpine, path="tools/Dockerfile"),
            ],
            open_pulls=2,
        )
        rows.proposal(shop, self.python, "open", "unchanged", 1.9)
        rows.proposal(shop, self.nginx, "open", "hands-off", 8, message="Somebody pushed to it.")
        api = rows.repo("acme/api", [Pin(self.python), Pin(self.alpine, path="x/Dockerfile")])
        rows.proposal(api, self.python, "merged", "merged", 2)
        worker = rows.repo("acme/worker", [Pin(self.python, 4), Pin(self.nginx, 3, line=7)])
        rows.proposal(
            worker, self.python, "rejected", "rejected", 30, message="Somebody closed it."
        )
        rows.proposal(worker, self.nginx, "waiting", "limited", 0, message="4 are open already")
        old = rows.repo("acme/old-timer", [Pin(self.nginx, 7), Pin(self.base, 59, line=2)])
        rows.proposal(old, self.nginx, "closed", "closed", 60)
        rows.proposal(old, self.base, "adopted", "adopted", 14)
        rows.repo(
            "acme/payments",
            [
                Pin(
                    self.node,
                    1,
                    reason="denied-pinned",
                    message=f"{self.node.digest(1)} is pinned and on the deny list; "
                    f"{self.node.query} moved to {self.node.digest()}",
                )
            ],
        )
        rows.repo("acme/ml", [self._failed(self.prometheus, "unauthorized"), *self._lost()])
        rows.repo(
            "acme/edge",
            [
                self._held(self.distroless, "settling", now + 2 * HOUR),
                self._held(self.java, "platform-lost", None),
            ],
        )
        self._add_hostile()
        many = [
            Pin(image, number % 3, path=f"services/{number:02}/Dockerfile", line=number)
            for number in range(1, 31)
            for image in (self.python, self.base)
        ]
        rows.repo("acme/monorepo", many)
        rows.repo(LONG_NAME, [Pin(self.node, 0, line=1234)])
        rows.repo(
            "acme/legacy",
            [
                Pin(self.alpine, None),
                Pin(None, None, line=4, written="scratch", message="scratch is no image"),
                Pin(None, None, line=9, written="$BASE", reason="build-arg", message="no default"),
            ],
        )

    def _add_hostile(self) -> None:
        path = f"{SCRIPT}/{OVERRIDE}"
        problem = Problem(
            "file", path, "invalid-dockerfile", f"line 3: unknown instruction {QUOTES}", SCRIPT
        )
        self.rows.repo(
            f'acme/{SCRIPT}"quoted"',
            [
                Pin(self.alpine, path=path, message=f"it says {QUOTES} & {SCRIPT}"),
                Pin(self.python, 2, path="a b/#?%2e%2e/Dockerfile", line=2),
                Pin(None, None, path=QUOTES, written=SCRIPT, reason="invalid-reference"),
            ],
            problems=[problem],
            url="javascript:alert(1)",
        )
        self.rows.repo(
            "https://git.example.com/tools/mirror.git",
            [Pin(self.nginx)],
            target="https://git.example.com/tools/mirror.git",
            url="",
            problems=[Problem("repo", "tools/mirror", "push-refused", "it refused the push", "x")],
        )

    def _failed(self, image: Image, code: str, line: int = 1) -> Pin:
        message = image.row["failing_message"]
        return Pin(image, 0, "Dockerfile", line, "failed", code, message, "give it a token")

    def _lost(self) -> list[Pin]:
        failed = self._failed(self.lost, "unreachable", 5)
        return [failed, Pin(self.lost, None, "gpu/Dockerfile", 3, "failed", "unreachable", "x")]

    def _held(self, image: Image, reason: str, until: object) -> Pin:
        message = f"{image.query} moved to {image.digest()}; held back: {reason}"
        due = until if until is None else self.rows.now + 2 * HOUR
        return Pin(image, 1, status="held", reason=reason, message=message, until=due)

    def add_others(self) -> None:
        """Those that are left out, and one that is gone."""
        rows = self.rows
        rows.repo("acme/archive", left_out="archived", left_out_message="it is archived")
        rows.repo("acme/fork", left_out="fork", left_out_message="it is a fork")
        rows.repo("acme/gone", gone_at=rows.now - 6 * DAY, settled_at=None)

    def add_runs(self) -> None:
        """Two and a half days of them, the last one under way."""
        rows = self.rows
        rows.run(timedelta(minutes=3), None, "running", listed=14, lookups=6, updated=3)
        unreachable = [
            Problem("repo", f"acme/r{number:02}", "unreachable", "the clone failed", "try again")
            for number in range(12)
        ]
        denied = Problem("registry", "quay.io", "unauthorized", f"401 {SCRIPT}", "give it a token")
        file = Problem("file", OVERRIDE, "invalid-dockerfile", QUOTES, "", "acme/monorepo")
        for number in range(1, RUNS):
            ago, problems = timedelta(minutes=30 * number), [denied] if number < 20 else []
            state = {5: "stopped", 9: "failed", 14: "lost"}.get(number, "done")
            if number == 2:
                problems = [denied, *unreachable, file]
            if problems and state == "done":
                state = "incomplete"
            counts = {"listed": 17, "lookups": 9, "updated": number % 14, "proposals_opened": 1}
            kind = "hint" if number % 7 == 3 else "cycle"
            asked_by = ASKERS[number // 7 % len(ASKERS)] if kind == "hint" else ()
            rows.run(ago, 20 + number % 40, state, problems, kind, asked_by, **counts)
        rows.rows[SCHEDULES].append({"key": "cycle", "started_at": rows.now - HOUR / 20})

    def add_tallies(self) -> None:
        """Two weeks, in which it became better."""
        hours = 14 * 24
        for hour in range(hours):
            stale = 20 + hour // 12
            counts = {"current": 80 - stale, "stale": stale, "held": 2, "failed": 3, "unpinned": 1}
            self.rows.tally(hour * HOUR, counts, 2 * DAY + hour * HOUR / 4)

    def add_conditions(self) -> None:
        """What operators were told."""
        add = self.rows.condition
        add("lookups:quay.io", "lookups", "quay.io answers 401", "give it a token", 3)
        add(f"denied:{self.node.digest(1)}", "denied", "it is in use", "merge its update", 1)
