from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from digestbot import __version__
from tests.deploy.dockerfile import instructions, only, stages
from tests.deploy.dockerignore import is_kept, kept_files
from tests.deploy.files import DEPLOY, DOCKERFILE, ROOT, run, tool

FINAL = stages()[-1]
BUILD = next(stage for stage in stages() if stage[0].value.endswith(" build"))


def test_hadolint_has_nothing_to_say() -> None:
    done = tool("hadolint", "--no-color", "--failure-threshold", "style", DOCKERFILE)

    assert (done.returncode, done.stdout) == (0, "")


def test_no_rule_of_hadolint_is_switched_off() -> None:
    assert "hadolint" not in DOCKERFILE.read_text()
    assert not list(ROOT.glob(".hadolint*"))


def test_digestbot_finds_the_base_and_the_syntax_and_both_are_pinned() -> None:
    done = run(
        sys.executable, "-m", "digestbot", "scan", DOCKERFILE, "--offline", "--format", "json"
    )

    findings = json.loads(done.stdout)["findings"]
    assert [each["image"] for each in findings] == [
        "docker.io/docker/dockerfile",
        "docker.io/library/python",
    ]
    assert all(each["digest"].startswith("sha256:") for each in findings)


def test_every_stage_stands_on_the_same_base() -> None:
    bases = [stage[0].value.split()[0] for stage in stages()]

    assert bases[0].startswith("docker.io/library/python:")
    assert bases[1:] == ["python", "python"]
    assert FINAL[0].value == "python"


def test_what_is_copied_exists_and_reaches_the_build() -> None:
    rules = (ROOT / ".dockerignore").read_text()
    copies = [each for each in instructions() if each.keyword == "COPY" and not each.flags]

    sources = [source for each in copies for source in each.value.split()[:-1]]
    assert sources == ["pyproject.toml", "README.md", "LICENSE", "digestbot/"]
    for source in sources:
        assert (ROOT / source).exists()
        assert is_kept(source.rstrip("/"), rules)


def test_the_image_runs_as_a_number_and_owns_only_its_two_folders() -> None:
    (own,) = (each.value for each in FINAL if each.value.startswith("install "))

    assert only(FINAL, "USER").value == "10001:10001"
    assert only(FINAL, "VOLUME").words == ["/var/lib/digestbot", "/var/cache/digestbot"]
    assert own.split()[1:4] == ["--directory", "--owner=10001", "--group=10001"]
    assert own.split()[-2:] == only(FINAL, "VOLUME").words


def test_nothing_is_started_by_a_shell() -> None:
    health = only(FINAL, "HEALTHCHECK")

    assert only(FINAL, "ENTRYPOINT").words == ["digestbot"]
    assert only(FINAL, "CMD").words[0] == "serve"
    assert json.loads(health.value.removeprefix("CMD ")) == ["digestbot", "health"]
    assert not {"SHELL", "ADD"} & {each.keyword for each in instructions()}


def test_the_image_says_what_it_is() -> None:
    label = only(FINAL, "LABEL").value

    names = {"title", "description", "source", "licenses", "revision", "base.name"}
    assert all(f"org.opencontainers.image.{name}=" in label for name in names)
    base = instructions()[0].value.split("@")[0]
    assert f'org.opencontainers.image.base.name="{base}"' in label
    assert "LICENSE" in next(each.value for each in BUILD if each.keyword == "COPY")


def test_a_release_that_is_copied_leaves_the_tools_of_the_build_behind() -> None:
    (copy,) = (each for each in FINAL if each.keyword == "COPY")

    assert copy.flags == ("--from=build",)
    assert not any("pip" in each.value for each in FINAL)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands of the first stage leave, run here on what would reach the build."""
    root = tmp_path_factory.mktemp("build")
    source = root / "src"
    for name in kept_files(ROOT, (ROOT / ".dockerignore").read_text()):
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)
    for each in BUILD:
        if each.keyword == "RUN":
            command = each.value.replace("/wheels", f"{root}/wheels")
            command = command.replace("/opt/digestbot", f"{root}/opt")
            command = command.replace("python -m", f"{sys.executable} -m")
            done = run("sh", "-euc", command, folder=source)
            assert done.returncode == 0, done.stdout
    return root / "opt"


def test_the_commands_of_the_build_give_a_digestbot_that_starts(built: Path) -> None:
    done = run(built / "bin" / "digestbot", "--version")

    assert (done.returncode, done.stdout) == (0, f"digestbot {__version__}\n")


def test_the_build_brings_all_that_the_service_imports(built: Path) -> None:
    modules = "alembic, apprise, git, github, opentelemetry.sdk, prometheus_client, psycopg"
    modules += ", sqlalchemy, starlette, structlog, uvicorn, yaml"

    done = run(built / "bin" / "python", "-c", f"import {modules}", folder=built)

    assert (done.returncode, done.stdout) == (0, "")


def test_the_build_brings_no_installer_and_no_tests(built: Path) -> None:
    site = next((built / "lib").glob("python*/site-packages"))

    assert not (built / "bin" / "pip").exists()
    assert not (site / "pip").exists()
    assert not (site / "tests").exists()
    assert (site / "digestbot").is_dir()


def test_the_default_command_reads_the_configuration_that_compose_puts_there() -> None:
    assert f"target: {only(FINAL, 'CMD').words[-1]}" in (DEPLOY / "compose.yaml").read_text()
