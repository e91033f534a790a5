from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from digestbot.config.load import load_settings
from tests.deploy.files import MANIFESTS, read_yaml, tool

# The oldest of Kubernetes whose rules are kept to, and the newest that is known.
VERSIONS = ("1.31", "1.37")
DEPLOYMENT = next(path for path in MANIFESTS if path.name == "deployment.yaml")
CRONJOB = next(path for path in MANIFESTS if path.name == "cronjob.yaml")
WORKLOADS = (DEPLOYMENT, CRONJOB)
ALLOWED_VOLUMES = {"configMap", "emptyDir", "persistentVolumeClaim", "projected", "secret"}


def template_of(path: Path) -> Any:
    spec = read_yaml(path)["spec"]
    return (spec["jobTemplate"]["spec"] if path == CRONJOB else spec)["template"]


def pod_of(path: Path) -> Any:
    return template_of(path)["spec"]


def container_of(path: Path) -> Any:
    (container,) = pod_of(path)["containers"]
    return container


def unrestricted(pod: Any) -> Iterator[str]:
    """What the Pod Security Standard "restricted" has against a pod.

    https://kubernetes.io/docs/concepts/security/pod-security-standards/
    """
    context = pod.get("securityContext", {})
    if context.get("runAsNonRoot") is not True or context.get("runAsUser") == 0:
        yield "may be root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "no seccomp profile"
    if any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")):
        yield "shares a namespace of the host"
    for volume in pod.get("volumes", []):
        if not volume.keys() - {"name"} <= ALLOWED_VOLUMES:
            yield f"volume {volume['name']}"
    for each in pod["containers"]:
        inner = each.get("securityContext", {})
        if inner.get("allowPrivilegeEscalation") is not False or inner.get("privileged"):
            yield "may have more rights"
        if inner.get("capabilities") != {"drop": ["ALL"]}:
            yield "capabilities"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_is_right_by_the_schema_of_kubernetes(path: Path, version: str) -> None:
    done = tool("kubernetes-validate", "--strict", "--kubernetes-version", version, path)

    kind = read_yaml(path)["kind"].lower()
    said = f"INFO {path} passed for resource {kind}/digestbot against version {version}\n"
    assert (done.returncode, done.stdout) == (0, said)


@pytest.mark.parametrize(
    "old, new",
    [
        pytest.param("readOnlyRootFilesystem", "readOnlyRootFileSystem", id="unknown-deep-inside"),
        pytest.param("concurrencyPolicy", "concurrentPolicy", id="unknown"),
        pytest.param("backoffLimit: 0", "backoffLimit: none", id="type"),
    ],
)
def test_the_schema_refuses_what_is_wrong(tmp_path: Path, old: str, new: str) -> None:
    wrong = tmp_path / "cronjob.yaml"
    wrong.write_text(CRONJOB.read_text().replace(old, new, 1))

    done = tool("kubernetes-validate", "--strict", wrong)

    assert done.returncode != 0
    assert done.stdout.startswith("ERROR")


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.name)
def test_a_manifest_belongs_to_no_namespace(path: Path) -> None:
    metadata = read_yaml(path)["metadata"]

    assert metadata == {"name": "digestbot", "labels": {"app.kubernetes.io/name": "digestbot"}}


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.name)
def test_a_pod_is_restricted(path: Path) -> None:
    assert list(unrestricted(pod_of(path))) == []


@pytest.mark.parametrize(
    "change, said",
    [
        pytest.param({"securityContext": {}}, "may be root", id="user"),
        pytest.param({"hostNetwork": True}, "shares a namespace of the host", id="network"),
        pytest.param({"containers": [{"name": "a"}]}, "capabilities", id="container"),
        pytest.param({"volumes": [{"name": "a", "hostPath": {}}]}, "volume a", id="volume"),
    ],
)
def test_a_pod_that_is_not_restricted_is_told(change: Any, said: str) -> None:
    assert said in list(unrestricted({**pod_of(DEPLOYMENT), **change}))


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.name)
def test_a_pod_writes_to_its_volumes_alone_and_has_no_token_of_the_cluster(path: Path) -> None:
    pod, container = pod_of(path), container_of(path)
    mounts = {each["name"]: each for each in container["volumeMounts"]}

    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert mounts.keys() == {each["name"] for each in pod["volumes"]}
    assert {name for name, each in mounts.items() if each.get("readOnly")} == {"config"}


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.name)
def test_a_container_has_its_share_and_no_more(path: Path) -> None:
    resources = container_of(path)["resources"]

    assert resources["requests"].keys() == {"cpu", "memory"}
    assert resources["limits"]["memory"]


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.name)
def test_a_pod_has_longer_than_digestbot_takes_to_stop(path: Path) -> None:
    assert pod_of(path)["terminationGracePeriodSeconds"] == 30


def test_the_deployment_asks_for_health_and_for_readiness() -> None:
    container = container_of(DEPLOYMENT)
    asked = {
        name: container[name]["httpGet"]["path"]
        for name in ("startupProbe", "livenessProbe", "readinessProbe")
    }

    assert asked == {
        "startupProbe": "/healthz",
        "livenessProbe": "/healthz",
        "readinessProbe": "/readyz",
    }


def test_one_process_owns_the_state() -> None:
    deployment, cronjob = read_yaml(DEPLOYMENT)["spec"], read_yaml(CRONJOB)["spec"]

    assert deployment["replicas"] == 1
    assert deployment["strategy"] == {"type": "Recreate"}
    assert cronjob["concurrencyPolicy"] == "Forbid"
    assert cronjob["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert pod_of(CRONJOB)["restartPolicy"] == "Never"


def test_the_cronjob_says_of_which_time_zone_its_hours_are() -> None:
    assert read_yaml(CRONJOB)["spec"]["timeZone"] == "Etc/UTC"


def test_deployment_and_service_choose_the_pods_that_serve() -> None:
    labels = template_of(DEPLOYMENT)["metadata"]["labels"]
    service = next(read_yaml(path) for path in MANIFESTS if path.name == "service.yaml")

    assert read_yaml(DEPLOYMENT)["spec"]["selector"]["matchLabels"] == labels
    assert service["spec"]["selector"] == labels
    assert template_of(CRONJOB)["metadata"]["labels"] != labels


@pytest.mark.parametrize("path", WORKLOADS, ids=lambda path: path.name)
def test_what_a_pod_refers_to_is_there(path: Path) -> None:
    named = {(each := read_yaml(path))["kind"]: each["metadata"]["name"] for path in MANIFESTS}
    volumes = {each["name"]: each for each in pod_of(path)["volumes"]}

    claim = volumes["state"]["persistentVolumeClaim"]["claimName"]
    config, secret = volumes["config"]["projected"]["sources"]
    assert claim == named["PersistentVolumeClaim"]
    assert config["configMap"]["name"] == named["ConfigMap"]
    assert secret == {"secret": {"name": "digestbot"}}
    assert "Secret" not in named


def test_the_configuration_is_right_and_names_the_files_and_folders_of_the_pod(
    tmp_path: Path,
) -> None:
    manifest = next(read_yaml(path) for path in MANIFESTS if path.name == "configmap.yaml")
    ((name, text),) = manifest["data"].items()
    (tmp_path / name).write_text(text)

    settings = load_settings(tmp_path / name).settings

    mounts = {each["name"]: each["mountPath"] for each in container_of(DEPLOYMENT)["volumeMounts"]}
    assert container_of(DEPLOYMENT)["args"][-1] == f"{mounts['config']}/{name}"
    assert settings.github.app_key_file == tmp_path / "github-app.pem"
    assert settings.state is not None
    assert str(settings.state.folder) == mounts["state"]
    assert str(settings.cache) == mounts["cache"]
    assert settings.service.listen == "0.0.0.0:8080"
