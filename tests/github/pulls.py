"""The life of pull requests: what opening, pushing, merging and green checks do to them."""

from __future__ import annotations

import re

from tests.github.errors import ApiError, invalid, refuse_long
from tests.github.objects import Person
from tests.github.state import (
    GREEN,
    Account,
    AutoMerge,
    Check,
    Comment,
    Event,
    Issue,
    Label,
    Pull,
    Repo,
    Review,
    World,
)

MOST_BODY = 65536
_MOST_TITLE = 256
RUNNING = {"queued", "in_progress", "waiting", "pending", "requested"}


def refuse_text(resource: str, title: str, body: str | None) -> None:
    """Raises: ApiError: Title or body is too long, or there is no title."""
    if not title.strip():
        reason = {"resource": resource, "field": "title", "code": "missing_field"}
        raise ApiError(422, "Validation Failed", [reason])
    refuse_long(resource, "title", title, _MOST_TITLE)
    refuse_long(resource, "body", body, MOST_BODY)


def refuse_push(repo: Repo, ref: str, sha: str | None) -> None:
    """Raises: ApiError: A rule of the repo forbids to put this commit there."""
    branch = ref.removeprefix("refs/heads/")
    if branch in repo.protected:
        raise ApiError(422, f"Cannot update this protected ref: {branch}.")
    must_sign = any(rule.get("type") == "required_signatures" for rule in repo.rules)
    if sha is not None and must_sign and sha not in repo.verified:
        raise ApiError(
            422, "Repository rule violations found\n\nCommits must have verified signatures."
        )


class Pulls:
    """Changes pull requests and issues as GitHub does; `now` is the time."""

    def __init__(self, world: World, now: float = 0.0) -> None:
        self.world = world
        self.now = now

    def event(self, issue: Issue, kind: str, actor: Account) -> None:
        event = Event(self.world.new_id(), kind, actor, self.now)
        self.world.keep(event)
        issue.events.append(event)
        issue.updated_at = self.now

    def number(self, repo: Repo) -> int:
        return max(repo.issues, default=0) + 1

    def open_issue(self, repo: Repo, author: Account, title: str, body: str | None) -> Issue:
        refuse_text("Issue", title, body)
        issue = Issue(
            self.world.new_id(), repo, self.number(repo), author, title, body, self.now, self.now
        )
        repo.issues[issue.number] = issue
        self.world.keep(issue)
        return issue

    def open_pull(
        self,
        repo: Repo,
        author: Account,
        *,
        title: str,
        body: str | None,
        head: str,
        base: str,
        head_repo: Repo | None = None,
        is_draft: bool = False,
    ) -> Pull:
        """Open one, or refuse as GitHub does."""
        refuse_text("PullRequest", title, body)
        if is_draft and not repo.allows_drafts:
            message = "Draft pull requests are not supported in this repository."
            raise ApiError(422, message)
        source = head_repo or repo
        tip, target = source.head(head), repo.head(base)
        if tip is None:
            raise _missing("head")
        if target is None:
            raise _missing("base")
        self._refuse_twin(repo, source, head, base)
        if source is not repo:
            repo.git.git("fetch", "-q", str(source.git.folder), f"refs/heads/{head}")
        if repo.git.is_ancestor(tip, target):
            raise invalid("PullRequest", f"No commits between {base} and {head}")
        pull = Pull(
            self.world.new_id(),
            repo,
            self.number(repo),
            author,
            title,
            body,
            self.now,
            self.now,
            head_repo=source,
            head_ref=head,
            base_ref=base,
            head=tip,
            base=target,
            is_draft=is_draft,
        )
        repo.issues[pull.number] = pull
        self.world.keep(pull)
        return pull

    @staticmethod
    def _refuse_twin(repo: Repo, source: Repo, head: str, base: str) -> None:
        for other in repo.pulls:
            same = other.head_repo is source and other.head_ref == head and other.base_ref == base
            if other.is_open and same:
                name = f"{source.owner.login}:{head}"
                raise invalid("PullRequest", f"A pull request already exists for {name}.")

    def close(self, issue: Issue, by: Account) -> None:
        issue.state = "closed"
        issue.closed_at, issue.closed_by = self.now, by
        if isinstance(issue, Pull):
            issue.auto_merge = None
        self.event(issue, "ClosedEvent", by)

    def reopen(self, issue: Issue, by: Account) -> None:
        if isinstance(issue, Pull):
            tip = issue.head_repo.head(issue.head_ref)
            if issue.merged_at is not None or tip is None:
                raise invalid("PullRequest", "state cannot be changed. The branch was deleted.")
            self._refuse_twin(issue.repo, issue.head_repo, issue.head_ref, issue.base_ref)
            issue.head = tip
        issue.state = "open"
        issue.closed_at = issue.closed_by = None
        self.event(issue, "ReopenedEvent", by)

    def comment(self, issue: Issue, author: Account, body: str) -> Comment:
        refuse_long("IssueComment", "body", body, MOST_BODY)
        comment = Comment(self.world.new_id(), issue, author, body, self.now)
        issue.comments.append(comment)
        issue.updated_at = self.now
        self.world.keep(comment)
        return comment

    def add_labels(self, issue: Issue, names: list[str], by: Account) -> None:
        for name in names:
            refuse_long("Label", "name", name, 50)
            label = self.label(issue.repo, name)
            if label not in issue.labels:
                issue.labels.append(label)
                self.event(issue, "LabeledEvent", by)

    def label(self, repo: Repo, name: str) -> Label:
        known = repo.labels.get(name.lower())
        if known is None:
            known = Label(self.world.new_id(), repo, name)
            repo.labels[name.lower()] = known
            self.world.keep(known)
        return known

    def assign(self, issue: Issue, people: list[Account], by: Account) -> None:
        for one in people:
            if one not in issue.assignees:
                issue.assignees.append(one)
                self.event(issue, "AssignedEvent", by)

    def request_reviews(self, pull: Pull, people: list[Account], teams: list[str]) -> None:
        for one in people:
            if one not in pull.reviewers:
                pull.reviewers.append(one)
                self.event(pull, "ReviewRequestedEvent", pull.author)
        for team in teams:
            if team not in pull.teams:
                pull.teams.append(team)
                self.event(pull, "ReviewRequestedEvent", pull.author)

    # -- merging

    def mergeable(self, pull: Pull) -> bool:
        base = pull.repo.head(pull.base_ref)
        return base is not None and pull.repo.git.merged_tree(base, pull.head) is not None

    def blocked(self, pull: Pull) -> str | None:
        """Why branch protection holds it back; None where it does not."""
        said = {check.name: check.conclusion for check in pull.repo.newest_checks(pull.head)}
        for name in pull.repo.required_checks:
            if said.get(name) not in GREEN:
                return f'Required status check "{name}" is expected.'
        if pull.review_decision == "CHANGES_REQUESTED":
            return "Changes were requested by reviewers with write access."
        if pull.approvals < pull.repo.required_reviews:
            return "At least 1 approving review is required by reviewers with write access."
        return None

    def status(self, pull: Pull) -> str:
        """GraphQL's `mergeStateStatus`."""
        if not self.mergeable(pull):
            return "DIRTY"
        if pull.is_draft:
            return "DRAFT"
        if self.blocked(pull):
            return "BLOCKED"
        return "CLEAN" if pull.repo.conclusion(pull.head) in {None, "SUCCESS"} else "UNSTABLE"

    def merge(
        self,
        pull: Pull,
        by: Account,
        *,
        method: str = "merge",
        sha: str | None = None,
        title: str | None = None,
        message: str | None = None,
    ) -> str:
        """Merge now; the new commit of the base branch."""
        self._refuse_merge(pull, method, sha)
        base = pull.repo.head(pull.base_ref) or ""
        tree = pull.repo.git.merged_tree(base, pull.head)
        if tree is None:
            raise ApiError(405, "Pull Request is not mergeable")
        title = title or f"Merge pull request #{pull.number} from {pull.head_ref}"
        who = Person(by.login, f"{by.login}@users.noreply.github.com", int(self.now))
        parents = (base, pull.head) if method == "merge" else (base,)
        text = f"{title}\n\n{message or pull.title}"
        new = pull.repo.git.objects.write_commit(tree, parents, who, who, text)
        pull.merged_at, pull.merged_by, pull.merge_sha = self.now, by, new
        pull.base = base
        self.close(pull, by)
        self.event(pull, "MergedEvent", by)
        pull.repo.git.set_ref(f"refs/heads/{pull.base_ref}", new)
        if pull.repo.delete_branch_on_merge and pull.head_repo is pull.repo:
            pull.repo.git.set_ref(f"refs/heads/{pull.head_ref}", None)
        self.settle(pull.repo, by)
        return new

    def _refuse_merge(self, pull: Pull, method: str, sha: str | None) -> None:
        if not pull.is_open:
            raise ApiError(405, "Pull Request is not mergeable")
        if pull.is_draft:
            raise ApiError(405, "Pull Request is still a draft")
        if sha is not None and sha != pull.head:
            raise ApiError(409, "Head branch was modified. Review and try the merge again.")
        allowed = {
            "merge": (pull.repo.allow_merge_commit, "Merge commits"),
            "squash": (pull.repo.allow_squash_merge, "Squash merges"),
            "rebase": (pull.repo.allow_rebase_merge, "Rebase merges"),
        }[method]
        if not allowed[0]:
            raise ApiError(405, f"{allowed[1]} are not allowed on this repository.")
        why = self.blocked(pull)
        if why is not None:
            raise ApiError(405, why)

    def enable_auto_merge(self, pull: Pull, by: Account, method: str, head: str | None) -> None:
        if not pull.repo.allow_auto_merge:
            raise ApiError(200, "Auto merge is not allowed for this repository")
        if head is not None and head != pull.head:
            raise ApiError(200, "Head branch was modified. Review and try the merge again.")
        if not pull.is_open or pull.merged_at is not None:
            raise ApiError(200, "Can't enable auto-merge for this pull request")
        status = self.status(pull)
        if status == "CLEAN":
            raise ApiError(200, "Pull request Pull request is in clean status")
        if status in {"UNSTABLE", "DIRTY"}:
            raise ApiError(200, f"Pull request Pull request is in {_words(status)} status")
        pull.auto_merge = AutoMerge(by, method, self.now)
        self.event(pull, "AutoMergeEnabledEvent", by)

    def disable_auto_merge(self, pull: Pull, by: Account) -> None:
        if pull.auto_merge is None:
            raise ApiError(200, "Can't disable auto-merge for this pull request.")
        pull.auto_merge = None
        self.event(pull, "AutoMergeDisabledEvent", by)

    # -- what happens by itself

    def settle(self, repo: Repo, by: Account) -> None:
        """After refs changed: heads follow their branches, those without one are closed."""
        self.run_ci(repo)
        for other in [repo, *(one for one in self.world.repos.values() if one.fork_of is repo)]:
            for pull in other.pulls:
                if pull.is_open:
                    self._follow(pull, by)
        if repo.fork_of is not None:
            for pull in repo.fork_of.pulls:
                if pull.is_open and pull.head_repo is repo:
                    self._follow(pull, by)
        self.merge_green(repo)

    def _follow(self, pull: Pull, by: Account) -> None:
        tip, base = pull.head_repo.head(pull.head_ref), pull.repo.head(pull.base_ref)
        if tip is None:
            self.event(pull, "HeadRefDeletedEvent", by)
        if tip is None or base is None:
            self.close(pull, by)
            return
        moved, pull.head = tip != pull.head, tip
        if moved:
            pull.updated_at = self.now
        if base == pull.base and not moved:
            return
        if pull.head_repo is not pull.repo and moved:
            pull.repo.git.git("fetch", "-q", str(pull.head_repo.git.folder), tip)
        pull.base = base
        if pull.repo.git.is_ancestor(tip, base):
            if not moved:
                pull.merged_at, pull.merged_by, pull.merge_sha = self.now, by, tip
            self.close(pull, by)

    def run_ci(self, repo: Repo) -> None:
        """CI says of each new tip of a branch what it was told to say; see `Scene.ci`."""
        if repo.ci is None:
            return
        for name, sha in repo.git.refs("refs/heads/").items():
            is_default = name == f"refs/heads/{repo.default_branch}"
            if sha not in repo.checks:
                said = repo.ci.default if is_default else repo.ci.branches
                repo.checks[sha] = [self.check(*one) for one in said.items()]

    def check(self, name: str, word: str | None, *, is_status: bool = False) -> Check:
        """A check that says a conclusion, or what it does, or None: it runs."""
        said = (word or "in_progress").lower()
        number = self.world.new_id()
        made = Check(number, name, said, is_status, suite="" if is_status else "ci", at=self.now)
        if said in RUNNING and not is_status:
            made.conclusion, made.status = None, said
        if word is None:
            made.conclusion = None
        self.world.keep(made)
        return made

    def review(self, pull: Pull, by: Account, state: str) -> Review:
        review = Review(self.world.new_id(), by, state, self.now)
        pull.reviews.append(review)
        pull.updated_at = self.now
        self.world.keep(review)
        self.merge_green(pull.repo)
        return review

    def merge_green(self, repo: Repo) -> None:
        """Auto-merge what has become mergeable."""
        for pull in repo.pulls:
            auto = pull.auto_merge
            if pull.is_open and auto is not None and self.status(pull) in {"CLEAN", "UNSTABLE"}:
                self.merge(pull, auto.by, method=auto.method.lower())


def _missing(field: str) -> ApiError:
    return ApiError(
        422,
        "Validation Failed",
        [{"resource": "PullRequest", "field": field, "code": "invalid"}],
    )


def _words(status: str) -> str:
    return re.sub("_", " ", status).lower()
