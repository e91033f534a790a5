"""Things as REST shows them. What is required and not said here is filled in by the contract."""

from __future__ import annotations

import base64
from typing import Any

from tests.github.clock import stamp
from tests.github.objects import CommitObject, Person
from tests.github.state import (
    Account,
    Check,
    Comment,
    Installation,
    Issue,
    Label,
    Pull,
    Repo,
    Token,
    node_id,
)

Shape = dict[str, Any]


class Shapes:
    """Everything with addresses on this server; `url` is its own."""

    def __init__(self, url: str) -> None:
        self.url = url

    def repo_url(self, repo: Repo) -> str:
        return f"{self.url}/repos/{repo.full_name}"

    def account(self, account: Account) -> Shape:
        return {
            "id": account.id,
            "node_id": node_id(account),
            "login": account.login,
            "type": account.kind,
            "url": f"{self.url}/users/{account.login}",
            "html_url": f"{self.url}/{account.login}",
            "site_admin": False,
        }

    def organization(self, account: Account) -> Shape:
        return {
            "id": account.id,
            "node_id": node_id(account),
            "login": account.login,
            "type": account.kind,
            "url": f"{self.url}/orgs/{account.login}",
            "html_url": f"{self.url}/{account.login}",
        }

    def minimal_repo(self, repo: Repo, token: Token | None = None) -> Shape:
        permission = "READ" if token is None else repo.permission_of(token.account)
        may_write = permission in {"ADMIN", "MAINTAIN", "WRITE"}
        return {
            "id": repo.id,
            "node_id": node_id(repo),
            "name": repo.name,
            "full_name": repo.full_name,
            "owner": self.account(repo.owner),
            "private": repo.private,
            "visibility": "private" if repo.private else "public",
            "description": repo.description,
            "fork": repo.fork_of is not None,
            "archived": repo.archived,
            "disabled": repo.disabled,
            "is_template": repo.template,
            "default_branch": repo.default_branch,
            "topics": list(repo.topics),
            "url": self.repo_url(repo),
            "html_url": f"{self.url}/{repo.full_name}",
            "clone_url": f"{self.url}/{repo.full_name}.git",
            "size": 1 if repo.head() else 0,
            "has_issues": repo.has_issues,
            "created_at": stamp(repo.created_at),
            "updated_at": stamp(repo.created_at),
            "pushed_at": stamp(repo.created_at),
            "permissions": {
                "admin": permission == "ADMIN",
                "push": may_write,
                "pull": True,
                "maintain": permission in {"ADMIN", "MAINTAIN"},
                "triage": may_write,
            },
        }

    def repo(self, repo: Repo, token: Token | None = None) -> Shape:
        return {
            **self.minimal_repo(repo, token),
            "allow_auto_merge": repo.allow_auto_merge,
            "allow_merge_commit": repo.allow_merge_commit,
            "allow_squash_merge": repo.allow_squash_merge,
            "allow_rebase_merge": repo.allow_rebase_merge,
            "delete_branch_on_merge": repo.delete_branch_on_merge,
            "web_commit_signoff_required": repo.web_commit_signoff_required,
        }

    def label(self, label: Label) -> Shape:
        return {
            "id": label.id,
            "node_id": node_id(label),
            "name": label.name,
            "color": label.color,
            "default": False,
            "description": "",
            "url": f"{self.repo_url(label.repo)}/labels/{label.name}",
        }

    def comment(self, comment: Comment) -> Shape:
        issue = comment.issue
        return {
            "id": comment.id,
            "node_id": node_id(comment),
            "body": comment.body,
            "user": self.account(comment.author),
            "created_at": stamp(comment.created_at),
            "updated_at": stamp(comment.created_at),
            "author_association": "CONTRIBUTOR",
            "url": f"{self.repo_url(issue.repo)}/issues/comments/{comment.id}",
            "html_url": f"{self.html_url(issue)}#issuecomment-{comment.id}",
            "issue_url": f"{self.repo_url(issue.repo)}/issues/{issue.number}",
        }

    def html_url(self, issue: Issue) -> str:
        kind = "pull" if isinstance(issue, Pull) else "issues"
        return f"{self.url}/{issue.repo.full_name}/{kind}/{issue.number}"

    def issue(self, issue: Issue) -> Shape:
        url = f"{self.repo_url(issue.repo)}/issues/{issue.number}"
        shown = {**self._common(issue), "url": url, "repository_url": self.repo_url(issue.repo)}
        if isinstance(issue, Pull):
            pull_url = f"{self.repo_url(issue.repo)}/pulls/{issue.number}"
            page = self.html_url(issue)
            shown["pull_request"] = {
                "url": pull_url,
                "html_url": page,
                "diff_url": f"{page}.diff",
                "patch_url": f"{page}.patch",
                "merged_at": None if issue.merged_at is None else stamp(issue.merged_at),
            }
        shown["comments"] = len(issue.comments)
        return shown

    def _common(self, issue: Issue) -> Shape:
        return {
            "id": issue.id,
            "node_id": node_id(issue),
            "number": issue.number,
            "title": issue.title,
            "body": issue.body,
            "state": issue.state,
            "locked": False,
            "user": self.account(issue.author),
            "labels": [self.label(one) for one in issue.labels],
            "assignees": [self.account(one) for one in issue.assignees],
            "assignee": self.account(issue.assignees[0]) if issue.assignees else None,
            "html_url": self.html_url(issue),
            "created_at": stamp(issue.created_at),
            "updated_at": stamp(issue.updated_at),
            "closed_at": None if issue.closed_at is None else stamp(issue.closed_at),
            "author_association": "CONTRIBUTOR",
        }

    def simple_pull(self, pull: Pull) -> Shape:
        url = f"{self.repo_url(pull.repo)}/pulls/{pull.number}"
        return {
            **self._common(pull),
            "url": url,
            "issue_url": f"{self.repo_url(pull.repo)}/issues/{pull.number}",
            "comments_url": f"{self.repo_url(pull.repo)}/issues/{pull.number}/comments",
            "draft": pull.is_draft,
            "merged_at": None if pull.merged_at is None else stamp(pull.merged_at),
            "merge_commit_sha": pull.merge_sha,
            "head": self._side(pull.head_repo, pull.head_ref, pull.head),
            "base": self._side(pull.repo, pull.base_ref, pull.base),
            "requested_reviewers": [self.account(one) for one in pull.reviewers],
            "requested_teams": [self.team(pull.repo, one) for one in pull.teams],
            "auto_merge": self._auto_merge(pull),
        }

    def pull(self, pull: Pull, *, mergeable: bool | None, state: str) -> Shape:
        return {
            **self.simple_pull(pull),
            "merged": pull.merged_at is not None,
            "merged_by": None if pull.merged_by is None else self.account(pull.merged_by),
            "mergeable": mergeable,
            "rebaseable": mergeable,
            "mergeable_state": state,
            "comments": len(pull.comments),
            "commits": 1,
            "changed_files": len(changed(pull)),
            "maintainer_can_modify": False,
        }

    def _side(self, repo: Repo, ref: str, sha: str) -> Shape:
        return {
            "label": f"{repo.owner.login}:{ref}",
            "ref": ref,
            "sha": sha,
            "user": self.account(repo.owner),
            "repo": self.repo(repo),
        }

    def _auto_merge(self, pull: Pull) -> Shape | None:
        auto = pull.auto_merge
        if auto is None:
            return None
        return {
            "enabled_by": self.account(auto.by),
            "merge_method": auto.method.lower(),
            "commit_title": auto.headline or "",
            "commit_message": auto.body or "",
        }

    def team(self, repo: Repo, slug: str) -> Shape:
        return {
            "id": len(slug),
            "node_id": f"T_{slug}",
            "name": slug,
            "slug": slug,
            "url": f"{self.url}/organizations/{repo.owner.id}/team/{len(slug)}",
            "html_url": f"{self.url}/orgs/{repo.owner.login}/teams/{slug}",
            "type": "organization",
        }

    def changed_file(self, pull: Pull, path: str, status: str, sha: str) -> Shape:
        page = f"{self.url}/{pull.repo.full_name}"
        return {
            "sha": sha,
            "filename": path,
            "status": status,
            "additions": 1,
            "deletions": 1,
            "changes": 2,
            "blob_url": f"{page}/blob/{pull.head}/x",
            "raw_url": f"{page}/raw/{pull.head}/x",
            "contents_url": f"{self.repo_url(pull.repo)}/contents/x?ref={pull.head}",
        }

    def ref(self, repo: Repo, name: str, sha: str) -> Shape:
        found = repo.git.objects.find(sha)
        return {
            "ref": name,
            "node_id": f"REF_{repo.id}_{name}",
            "url": f"{self.repo_url(repo)}/git/{name}",
            "object": {
                "type": found[0] if found else "commit",
                "sha": sha,
                "url": f"{self.repo_url(repo)}/git/commits/{sha}",
            },
        }

    def commit(self, repo: Repo, commit: CommitObject) -> Shape:
        base = f"{self.repo_url(repo)}/git"
        verified = commit.sha in repo.verified
        return {
            "sha": commit.sha,
            "node_id": f"C_{commit.sha}",
            "url": f"{base}/commits/{commit.sha}",
            "html_url": f"{self.url}/{repo.full_name}/commit/{commit.sha}",
            "author": _person(commit.author),
            "committer": _person(commit.committer),
            "message": commit.message,
            "tree": {"sha": commit.tree, "url": f"{base}/trees/{commit.tree}"},
            "parents": [
                {
                    "sha": one,
                    "url": f"{base}/commits/{one}",
                    "html_url": f"{self.url}/{repo.full_name}/commit/{one}",
                }
                for one in commit.parents
            ],
            "verification": {
                "verified": verified,
                "reason": "valid" if verified else "unsigned",
                "signature": "-----BEGIN PGP SIGNATURE-----" if verified else None,
                "payload": f"tree {commit.tree}" if verified else None,
                "verified_at": stamp(commit.committer.at) if verified else None,
            },
        }

    def tree(self, repo: Repo, sha: str, *, recursive: bool, limit: int) -> Shape:
        base = f"{self.repo_url(repo)}/git"
        listed = (
            repo.git.walk(sha)
            if recursive
            else ((one.name, one) for one in repo.git.objects.tree(sha) or ())
        )
        shown: list[Shape] = []
        truncated = False
        for path, entry in listed:
            if len(shown) >= limit:
                truncated = True
                break
            one = {"path": path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha}
            if entry.kind == "blob":
                one["size"] = len(repo.git.objects.blob(entry.sha) or b"")  # type: ignore[assignment]
            if entry.kind != "commit":
                one["url"] = f"{base}/{entry.kind}s/{entry.sha}"
            shown.append(one)
        return {"sha": sha, "url": f"{base}/trees/{sha}", "tree": shown, "truncated": truncated}

    def blob(self, repo: Repo, sha: str, data: bytes) -> Shape:
        return {
            "sha": sha,
            "node_id": f"B_{sha}",
            "url": f"{self.repo_url(repo)}/git/blobs/{sha}",
            "size": len(data),
            "encoding": "base64",
            "content": base64.encodebytes(data).decode(),
        }

    def check_run(self, repo: Repo, sha: str, check: Check) -> Shape:
        done = check.conclusion is not None
        return {
            "id": check.id,
            "node_id": node_id(check),
            "head_sha": sha,
            "name": check.name,
            "url": f"{self.repo_url(repo)}/check-runs/{check.id}",
            "status": "completed" if done else check.status,
            "conclusion": check.conclusion,
        }

    def installation(self, one: Installation) -> Shape:
        return {
            "id": one.id,
            "account": self.account(one.account),
            "app_id": one.app.id,
            "app_slug": one.app.slug,
            "client_id": one.app.client_id,
            "target_id": one.account.id,
            "target_type": one.account.kind,
            "permissions": one.app.permissions,
            "repository_selection": "all" if one.repos is None else "selected",
            "access_tokens_url": f"{self.url}/app/installations/{one.id}/access_tokens",
            "repositories_url": f"{self.url}/installation/repositories",
            "html_url": f"{self.url}/settings/installations/{one.id}",
            "suspended_at": "2026-01-01T00:00:00Z" if one.suspended else None,
        }


def changed(pull: Pull) -> dict[str, tuple[str, str]]:
    """Status and blob of every file that the pull request touches, by path."""
    git = pull.repo.git
    behind = git.merge_base(pull.base, pull.head) or pull.base
    old, new = git.files(git.tree_of(behind)), git.files(git.tree_of(pull.head))
    found: dict[str, tuple[str, str]] = {}
    for path in sorted(old.keys() | new.keys()):
        was, now = old.get(path), new.get(path)
        if was is None and now is not None:
            found[path] = ("added", now.sha)
        elif now is None and was is not None:
            found[path] = ("removed", was.sha)
        elif now is not None and was != now:
            found[path] = ("modified", now.sha)
    return found


def _person(person: Person) -> Shape:
    return {"name": person.name, "email": person.email, "date": stamp(person.at)}
