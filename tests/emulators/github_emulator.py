"""GitHub on loopback, of one repository that is a real bare git repository on disk.

    with GitHub.running(folder) as github:
        pull = github.pull({"web.yaml": "..."})
        token = github.token(pull_requests="write", contents="read")
        ...
        github.merge(pull.number)

Requests are held to GitHub's published description: the context ends with an error where one was not
as described. `github.wire` counts and fails as told; operations have GitHub's ids, `issues/create-comment`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from github_bare import Bare
from github_door import Asked, Door
from github_state import Check, Comment, Issue, Pull, State, moment
from github_tokens import Token
from wire import Wire

ACTIONS = "github-actions"
BOT = "github-actions[bot]"
USUAL = {"contents": "write", "pull_requests": "write", "checks": "write", "issues": "write"}
NOWHERE = "0" * 40

Method = Literal["merge", "squash", "rebase"]


@dataclass(slots=True)
class GitHub:
    """The served repository. `name` is `owner/repository`."""

    state: State
    bare: Bare
    door: Door
    wire: Wire

    @classmethod
    @contextmanager
    def running(
        cls,
        folder: Path,
        name: str = "acme/pki",
        *,
        bare: Path | None = None,
        enterprise: bool = False,
    ) -> Iterator["GitHub"]:
        """Serve a repository, an empty one in `folder` unless there is a bare one, to the context's end.

        `enterprise` has the addresses of a server of one's own: /api/v3 and /api/graphql.
        """
        state = State(name)
        git = Bare(bare) if bare else Bare.made(folder / "github.git")
        paths = ("/api/v3", "/api/graphql") if enterprise else ("", "/graphql")
        door = Door(state, git, rest=paths[0], graphql=paths[1])
        github = cls(state, git, door, Wire(door.serve, door.operation))
        with github.wire.running():
            state.server = door.url = github.wire.url
            yield github
        assert not door.violations, "\n".join(door.violations)

    @property
    def name(self) -> str:
        return self.state.name

    @property
    def api_url(self) -> str:
        return f"{self.wire.url}{self.door.rest}"

    @property
    def graphql_url(self) -> str:
        return f"{self.wire.url}{self.door.graphql}"

    @property
    def requests(self) -> list[Asked]:
        """What was answered, in order; what the wire failed by itself is in `wire.asked` only."""
        return self.door.asked

    def token(self, login: str = BOT, *, known: bool = True, **permissions: str) -> str:
        """Return a token, by default of a workflow that may write everything that certform writes.

        With permissions named (`pull_requests="write"`) it has these alone, with `none="read"` none at all;
        one that is not `known` sees no repository. A `login` that is no app's is a person's.
        """
        app = login.removesuffix("[bot]") if login.endswith("[bot]") else ""
        return self.door.tokens.make(login, app, permissions or USUAL, known=known)

    def commit(
        self,
        files: Mapping[str, str | None],
        branch: str = "main",
        message: str = "Change",
        author: str = "someone",
    ) -> str:
        """Push a commit to a branch, which is made where there is none: from `main`, or from nothing."""
        ref = f"refs/heads/{branch}"
        parent = self.bare.tip(ref) or self.bare.tip(f"refs/heads/{self.state.default_branch}")
        parents = [parent] if parent else []
        sha = self.bare.commit(files, *parents, message=message, author=author, ref=ref)
        self._refresh()
        return sha

    def tip(self, branch: str = "main") -> str:
        """Return the commit a branch is at."""
        return self.bare.tip(f"refs/heads/{branch}")

    def pull(
        self,
        files: Mapping[str, str | None] | None = None,
        *,
        branch: str = "",
        onto: str = "main",
        author: str = "someone",
        fork: str = "",
        head: str = "",
    ) -> Pull:
        """Open a pull request: of a branch that is there, of one made with `files`, or of a commit `head`.

        `fork` is the full name of the repository the branch is of, if it is not this one.
        """
        number = self.state.number()
        branch = branch or f"topic-{number}"
        if files is not None:
            head = self.bare.commit(
                files, self.tip(onto), message=f"Change {number}", author=author
            )
            if not fork:
                self.bare.update(f"refs/heads/{branch}", head)
        head = head or self.tip(branch)
        assert head, f"there is no branch {branch}"
        title = self.bare.commits([head])[0].message.partition("\n")[0]
        pull = Pull(number, author, title, branch, onto, head, self.tip(onto), fork)
        self.state.pulls[number] = pull
        self._refresh()
        return pull

    def push(self, pull: Pull, files: Mapping[str, str | None], message: str = "More") -> str:
        """Add a commit to a pull request's branch."""
        self._refresh()
        ref = f"refs/pull/{pull.number}/head" if pull.fork else f"refs/heads/{pull.branch}"
        sha = self.bare.commit(files, pull.head, message=message, author=pull.author, ref=ref)
        if pull.fork:
            pull.head, pull.merge_commit = sha, ""
        self._refresh()
        return sha

    def merge(self, number: int, method: Method = "merge") -> str:
        """Merge a pull request as the button does; returns the commit its branch is at then."""
        self._refresh()
        pull = self.state.pulls[number]
        assert pull.state == "open", f"{number} is {pull.state}"
        before = self.tip(pull.onto)
        title = f"{pull.title} (#{number})"
        if method == "rebase":
            after = self.bare.rebased(before, pull.head)[-1]
        else:
            tree = self.bare.merged_tree(before, pull.head)
            assert tree, f"{number} has a conflict"
            parents = (before, pull.head) if method == "merge" else (before,)
            after = self.bare.commit_tree(tree, *parents, message=title)
        self.bare.update(f"refs/heads/{pull.onto}", after)
        pull.state, pull.merged_at, pull.merge_commit = "closed", moment(), after
        pull.landed = self.bare.shas(after, f"^{before}")
        self._refresh()
        return after

    def close(self, number: int) -> None:
        """Close a pull request unmerged."""
        self.state.pulls[number].state = "closed"

    def merge_ref(self, pull: Pull) -> str:
        """Return the commit of `refs/pull/N/merge`, which a workflow checks out; empty in a conflict."""
        self._refresh()
        return pull.merge_commit

    def _refresh(self) -> None:
        """Let open pull requests and their refs follow their branches, as GitHub does after a push."""
        refs = self.bare.refs()
        for pull in self.state.pulls.values():
            if pull.state != "open":
                continue
            head = pull.head if pull.fork else refs.get(f"refs/heads/{pull.branch}", pull.head)
            base = refs[f"refs/heads/{pull.onto}"]
            if (head, base) != (pull.head, pull.base) or not pull.merge_commit:
                pull.head, pull.base = head, base
                self._merge_beside(pull)

    def _merge_beside(self, pull: Pull) -> None:
        """Make `refs/pull/N/head` and `refs/pull/N/merge` what they have to be."""
        refs = {f"refs/pull/{pull.number}/head": pull.head}
        tree, pull.merge_commit = self.bare.merged_tree(pull.base, pull.head), ""
        if tree:
            text = f"Merge {pull.head} into {pull.base}"
            pull.merge_commit = self.bare.commit_tree(tree, pull.base, pull.head, message=text)
            refs[f"refs/pull/{pull.number}/merge"] = pull.merge_commit
        self.bare.update_all(refs)

    def add_comments(
        self, number: int, count: int, author: str = "someone", body: str = ""
    ) -> None:
        """Let somebody write comments."""
        for each in range(count):
            comment = Comment(self.state.id(), number, author, body or f"Comment {each}")
            self.state.comments[comment.id] = comment

    def add_check(
        self,
        sha: str,
        name: str,
        conclusion: str = "success",
        *,
        text: str = "",
        app: str = ACTIONS,
    ) -> Check:
        """Let an app make a check run; one without conclusion is in progress."""
        output = {"title": name, "summary": "", "text": text}
        given = {"name": name, "head_sha": sha, "output": output}
        ended = (
            {"status": "completed", "conclusion": conclusion}
            if conclusion
            else {"status": "in_progress"}
        )
        check = Check(self.state.id(), app, {**given, **ended})
        self.state.checks[check.id] = check
        return check

    def add_issue(
        self, title: str, body: str = "", *, author: str = "someone", label: str = ""
    ) -> Issue:
        """Let somebody open an issue."""
        labels = [label] if label else []
        issue = Issue(self.state.number(), author, title, body, labels)
        self.state.labels |= set(labels)
        self.state.issues[issue.number] = issue
        return issue

    def comments(self, number: int, author: str = "") -> list[Comment]:
        """Return the comments of a pull request or issue, of one author if named."""
        found = [each for each in self.state.comments.values() if each.number == number]
        return [each for each in found if author in ("", each.author)]

    def checks(self, sha: str, name: str = "") -> list[Check]:
        """Return the check runs of a commit, oldest first."""
        found = [each for each in self.state.checks.values() if each.sha == sha]
        return [each for each in found if name in ("", each.name)]

    @property
    def issues(self) -> list[Issue]:
        """All issues, oldest first."""
        return list(self.state.issues.values())

    def token_of(self, text: str) -> Token:
        """Return whose a token is."""
        return self.door.tokens.given[text]
