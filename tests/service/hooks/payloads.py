"""What each source sends, in the form that it documents; only the names are ours."""

from __future__ import annotations

from typing import Any

INDEX = "sha256:" + "1d" * 32
CHILD = "sha256:" + "c4" * 32
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def harbor(kind: str = "PUSH_ARTIFACT", *, tag: str = "3.12", host: str = "harbor.corp") -> Any:
    return {
        "type": kind,
        "occur_at": 1795251600,
        "operator": "robot$base+builder",
        "event_data": harbor_data(tag=tag, host=host),
    }


def harbor_data(*, tag: str = "3.12", host: str = "harbor.corp") -> Any:
    return {
        "resources": [
            {"digest": INDEX, "tag": tag, "resource_url": f"{host}/base/python:{tag}"},
        ],
        "repository": {
            "date_created": 1795000000,
            "name": "python",
            "namespace": "base",
            "repo_full_name": "base/python",
            "repo_type": "private",
        },
    }


def cloud_event(kind: str = "harbor.artifact.pushed") -> Any:
    return {
        "specversion": "1.0",
        "id": "0d0ad9f5-1c4a-4a3e-9a55-3b9b6a5b3c11",
        "requestid": "5a8e6f7e-8d43-4a53-a0ee-0b6b8f0a4a52",
        "source": "/projects/7/webhook/policies/2",
        "type": kind,
        "datacontenttype": "application/json",
        "time": "2026-11-21T09:00:00Z",
        "data": harbor_data(),
        "operator": "robot$base+builder",
    }


def dockerhub(*, name: str = "corp/python", tag: str = "3.12") -> Any:
    namespace, _, repository = name.rpartition("/")
    return {
        "callback_url": f"https://registry.hub.docker.com/u/{name}/hook/2fbh1c0/",
        "push_data": {"pushed_at": 1795251600, "pusher": "builder", "tag": tag},
        "repository": {
            "comment_count": 0,
            "date_created": 1795000000,
            "description": "",
            "is_official": False,
            "is_private": True,
            "name": repository,
            "namespace": namespace,
            "owner": namespace,
            "repo_name": name,
            "repo_url": f"https://registry.hub.docker.com/v2/repositories/{name}/",
            "star_count": 0,
            "status": "Active",
        },
    }


def quay(tags: Any, *, host: str = "quay.io") -> Any:
    return {
        "name": "python",
        "repository": "corp/python",
        "namespace": "corp",
        "docker_url": f"{host}/corp/python",
        "homepage": f"https://{host}/repository/corp/python",
        "updated_tags": tags,
    }


def quay_build() -> Any:
    return {
        "build_id": "8d5b7a56-7b0f-4f65-9a0e-9f3f0e1f2f35",
        "build_name": "8d5b7a5",
        "docker_tags": ["3.12"],
        "docker_url": "quay.io/corp/python",
        "homepage": "https://quay.io/repository/corp/python/build/8d5b7a56",
        "is_manual": True,
        "name": "python",
        "namespace": "corp",
        "repository": "corp/python",
    }


def distribution_event(
    *,
    action: str = "push",
    media_type: str = OCI_INDEX,
    repository: str = "base/python",
    tag: str | None = "3.12",
    host: str = "registry.corp",
    name: str = "320678d8-ca14-430f-8bb6-4ca139cd83f7",
) -> Any:
    target = {
        "mediaType": media_type,
        "digest": INDEX,
        "size": 1638,
        "length": 1638,
        "repository": repository,
        "url": f"https://{host}/v2/{repository}/manifests/{INDEX}",
    }
    return {
        "id": name,
        "timestamp": "2026-11-21T09:00:00.000000000Z",
        "action": action,
        "target": target if tag is None else target | {"tag": tag},
        "request": {
            "id": "6df24a34-0959-4923-81ca-14f09767db19",
            "addr": "192.0.2.17:42961",
            "host": host,
            "method": "PUT",
            "useragent": "buildkit/v0.25",
        },
        "actor": {"name": "builder"},
        "source": {"addr": f"{host}:5000", "instanceID": "a53db899-3b4b-4a62-a067-8dd013beaca4"},
    }


def acr(action: str = "push", *, tag: str | None = "3.12", host: str = "corp.azurecr.io") -> Any:
    target = {
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "size": 524,
        "digest": INDEX,
        "length": 524,
        "repository": "base/python",
    }
    return {
        "id": "cb8c3971-9adc-488b-bdd8-43cbb4974ff5",
        "timestamp": "2026-11-21T09:00:00.123456789Z",
        "action": action,
        "target": target if tag is None else target | {"tag": tag},
        "request": {
            "id": "3cbb6949-7549-4fa1-86cd-a6d5451dffc7",
            "host": host,
            "method": "PUT",
            "useragent": "buildkit/v0.25",
        },
    }


def acr_ping() -> Any:
    return {
        "id": "3c9d3bd4-5f1c-4c2e-8b1e-0d8f4f4a1b7a",
        "timestamp": "2026-11-21T09:00:00.1Z",
        "action": "ping",
    }


def jfrog(
    event: str = "pushed",
    *,
    domain: str = "docker",
    place: str = "docker-local",
    image: str = "base/python",
    tag: str = "3.12",
    origin: str = "https://corp.jfrog.io",
) -> Any:
    return {
        "domain": domain,
        "event_type": event,
        "data": {
            "repo_key": place,
            "path": f"{image}/{tag}/list.manifest.json",
            "name": "list.manifest.json",
            "sha256": "1d" * 32,
            "size": 1206,
            "image_name": image,
            "tag": tag,
            "platforms": [
                {"architecture": "amd64", "os": "linux"},
                {"architecture": "arm64", "os": "linux"},
            ],
        },
        "subscription_key": "digestbot",
        "jpd_origin": origin,
        "source": "jfrog/builder",
    }


def nexus(
    *,
    action: str = "CREATED",
    place: str = "docker-hosted",
    item: str = "component",
    fields: Any = None,
) -> Any:
    component = {
        "id": "08909bf0c86cf6c9600aade89e1c5e25",
        "componentId": "ZG9ja2VyLWhvc3RlZDowODkwOWJmMGM4NmNmNmM5NjAwYWFkZTg5ZTFjNWUyNQ",
        "format": "docker",
        "name": "base/python",
        "version": "3.12",
    }
    return {
        "timestamp": "2026-11-21T09:00:00.606+00:00",
        "nodeId": "A1D5C9B8-B4D6834E-22DCB392-71A3D798-A00B0557",
        "initiator": "builder/192.0.2.17",
        "repositoryName": place,
        "action": action,
        item: component if fields is None else fields,
    }


def nexus_asset(name: str, form: str = "docker") -> Any:
    fields = {
        "id": "31c950c8eeeab78336308177ae9c441c",
        "assetId": "ZG9ja2VyLWhvc3RlZDozMWM5NTBjOGVlZWFiNzgzMzYzMDgxNzdhZTljNDQxYw",
        "format": form,
        "name": name,
    }
    return nexus(action="UPDATED", item="asset", fields=fields)


def account(login: str = "Corp") -> Any:
    return {"login": login, "id": 17, "type": "Organization", "site_admin": False}


def repo(name: str = "Corp/shop", default_branch: str = "main") -> Any:
    return {
        "id": 1296269,
        "name": name.rpartition("/")[2],
        "full_name": name,
        "private": True,
        "owner": account(name.partition("/")[0]),
        "default_branch": default_branch,
        "archived": False,
    }


def ghcr(
    action: str = "published",
    *,
    event: str = "registry_package",
    kind: str = "CONTAINER",
    tag: str = "3.12",
    url: str = "ghcr.io/corp/base/python:3.12",
) -> Any:
    version = {
        "id": 57755790,
        "version": INDEX,
        "name": INDEX,
        "description": "",
        "summary": "",
        "html_url": "https://github.com/orgs/Corp/packages/container/base%2Fpython/57755790",
        "metadata": [],
        "container_metadata": {
            "tag": {"name": tag, "digest": INDEX if tag else ""},
            "labels": {"description": "", "licenses": ""},
            "manifest": {"digest": INDEX, "media_type": OCI_INDEX, "size": 1638},
        },
        "package_files": [],
        "installation_command": f"docker pull {url}",
        "package_url": url,
    }
    package = {
        "id": 10696,
        "name": "base/Python",
        "namespace": "Corp",
        "description": "",
        "ecosystem": kind,
        "package_type": kind,
        "html_url": "https://github.com/Corp/packages/10696",
        "created_at": "2026-11-21T09:00:00Z",
        "updated_at": "2026-11-21T09:00:00Z",
        "owner": account(),
        "package_version": version,
        "registry": {
            "about_url": "https://docs.github.com/packages",
            "name": "GitHub CONTAINER registry",
            "type": "CONTAINER",
            "url": "https://ghcr.io/Corp",
            "vendor": "GitHub Inc",
        },
    }
    return {"action": action, event: package, "repository": repo(), "sender": account("builder")}


def push(ref: str = "refs/heads/main") -> Any:
    return {
        "ref": ref,
        "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "after": "59b20b8d5c6ff8d09518216e87f9e2a3a5b3c5d4",
        "created": False,
        "deleted": False,
        "forced": False,
        "base_ref": None,
        "compare": "https://github.com/Corp/shop/compare/6113728f27ae...59b20b8d5c6f",
        "commits": [],
        "head_commit": None,
        "repository": repo(),
        "pusher": {"name": "dev", "email": None},
        "sender": account("dev"),
    }


def pull_request(
    action: str = "closed",
    *,
    branch: str = "digestbot/python-1a2b3c4d",
    origin: Any = "Corp/shop",
) -> Any:
    head = {
        "label": f"Corp:{branch}",
        "ref": branch,
        "sha": "59b20b8d5c6ff8d09518216e87f9e2a3a5b3c5d4",
        "repo": None if origin is None else repo(origin),
    }
    base = {
        "label": "Corp:main",
        "ref": "main",
        "sha": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
        "repo": repo(),
    }
    return {
        "action": action,
        "number": 42,
        "pull_request": {
            "number": 42,
            "state": "closed",
            "title": "Update python",
            "merged": True,
            "head": head,
            "base": base,
        },
        "repository": repo(),
        "sender": account("dev"),
    }


def check_suite(
    action: str = "completed", *, branch: str | None = "digestbot/python-1a2b3c4d"
) -> Any:
    return {
        "action": action,
        "check_suite": {
            "id": 118578147,
            "head_branch": branch,
            "head_sha": "59b20b8d5c6ff8d09518216e87f9e2a3a5b3c5d4",
            "status": "completed",
            "conclusion": "success",
            "pull_requests": [],
        },
        "repository": repo(),
        "sender": account("dev"),
    }


def installation(action: str = "created") -> Any:
    return {
        "action": action,
        "installation": {"id": 2, "account": account(), "repository_selection": "selected"},
        "sender": account("dev"),
    }


def installation_repositories(action: str = "added") -> Any:
    one = {
        "id": 1296269,
        "node_id": "MDEwOlJlcG9zaXRvcnkxMjk2MjY5",
        "name": "shop",
        "full_name": "Corp/shop",
        "private": True,
    }
    return {
        "action": action,
        "installation": {"id": 2, "account": account(), "repository_selection": "selected"},
        "repository_selection": "selected",
        "repositories_added": [one] if action == "added" else [],
        "repositories_removed": [one] if action == "removed" else [],
        "requester": None,
        "sender": account("dev"),
    }


def repository(action: str = "archived") -> Any:
    changes = {
        "edited": {"default_branch": {"from": "master"}},
        "renamed": {"repository": {"name": {"from": "store"}}},
        "transferred": {"owner": {"from": {"user": account("dev")}}},
    }
    states = {"archived": {"archived": True}, "publicized": {"private": False}}
    payload = {
        "action": action,
        "repository": repo() | states.get(action, {}),
        "sender": account("dev"),
    }
    return payload | {"changes": changes[action]} if action in changes else payload


def ping() -> Any:
    return {
        "zen": "Keep it logically awesome.",
        "hook_id": 3,
        "hook": {"type": "App", "id": 3, "name": "web", "active": True, "events": ["push"]},
    }
