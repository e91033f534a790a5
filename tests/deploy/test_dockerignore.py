from __future__ import annotations

import pytest

from tests.deploy.dockerignore import is_kept, kept_files
from tests.deploy.files import ROOT

RULES = (ROOT / ".dockerignore").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "rules, path, kept",
    [
        pytest.param("", "a", True, id="no-rule"),
        pytest.param("*", "a/b", False, id="below-what-is-left-out"),
        pytest.param("*\n!a/", "a/b", True, id="brought-back"),
        pytest.param("*\n!a\n**/c", "a/b/c", False, id="last-one-decides"),
        pytest.param("# a\n\n", "# a", True, id="comment"),
        pytest.param("*.md\n!README.md", "README.md", True, id="exception"),
        pytest.param("*.md", "docs/a.md", True, id="star-stops-at-a-slash"),
        pytest.param("**/*.md", "docs/a.md", False, id="two-stars-do-not"),
    ],
)
def test_the_last_rule_that_fits_decides(rules: str, path: str, kept: bool) -> None:
    assert is_kept(path, rules) is kept


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        ".env",
        ".venv/bin/python",
        "deploy/digestbot.yaml",
        "deploy/secrets/github-app.pem",
        "digestbot.yaml",
        "digestbot/__pycache__/errors.pyc",
        "tests/conftest.py",
        "secrets/a",
    ],
)
def test_what_a_build_does_not_need_never_reaches_it(path: str) -> None:
    assert not is_kept(path, RULES)


def test_what_reaches_a_build_is_the_package_and_what_describes_it() -> None:
    kept = kept_files(ROOT, RULES)

    outside = {name for name in kept if not name.startswith("digestbot/")}
    assert outside == {"LICENSE", "README.md", "pyproject.toml"}
    assert "digestbot/__init__.py" in kept
    assert "digestbot/py.typed" in kept
