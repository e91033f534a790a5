"""What axe-core finds on a page that keeps people out who see, hear or move otherwise."""

from __future__ import annotations

from functools import cache

from playwright.sync_api import Page

from tests.npm import AXE, fetch

GRAVE = {"serious", "critical"}
# Evaluated from outside: what a page may load by its own policy does not matter.
_RUN = """async (rules) => {
    const runOnly = rules.length ? {type: 'rule', values: rules} : undefined;
    const found = await axe.run(document, {resultTypes: ['violations'], runOnly});
    return found.violations.map(({id, impact, help, nodes}) => ({
        id, impact, help, places: nodes.map((node) => `${node.target.join(' ')} ${node.html}`),
    }));
}"""
_MOST_PLACES = 3


def barriers(page: Page, *rules: str) -> list[str]:
    """The grave ones: each with its rule, how bad it is, and where; of all rules, or of these."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_source())
    return [
        f"{one['impact']}: {one['id']} ({one['help']}), {len(one['places'])} times:\n  "
        + "\n  ".join(one["places"][:_MOST_PLACES])
        for one in page.evaluate(_RUN, rules)
        if one["impact"] in GRAVE
    ]


@cache
def _source() -> str:
    return fetch(AXE).read_text(encoding="utf-8")
