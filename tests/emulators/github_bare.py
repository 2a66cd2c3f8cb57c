"""The git repository on disk that the emulated GitHub serves, and what GitHub does in it by itself."""

import json
import os
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FORGE = "GitHub"
ALONE = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}


@dataclass(frozen=True, slots=True)
class GitCommit:
    """One commit; `date` is in seconds since 1970."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    date: int
    message: str


@dataclass(frozen=True, slots=True)
class Bare:
    """A bare repository."""

    root: Path

    @classmethod
    def made(cls, root: Path) -> "Bare":
        """Make one whose default branch is `main`, and in which a commit may be fetched by its name."""
        subprocess.run(
            ["git", "init", "--quiet", "--bare", "--initial-branch=main", root], check=True
        )
        bare = cls(root)
        bare.git("config", "uploadpack.allowAnySHA1InWant", "true")
        return bare

    def git(self, *argv: str, text: str | None = None, **variables: str) -> str:
        """Return what git prints, without its last line's end."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        who = {
            f"GIT_{role}_{part}": value
            for role in ("AUTHOR", "COMMITTER")
            for part, value in (("NAME", FORGE), ("EMAIL", "noreply@github.example"))
        }
        done = subprocess.run(
            ["git", "-C", str(self.root), *argv],
            input=text,
            env={**kept, **ALONE, **who, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"git {' '.join(argv)}: {done.stderr}"
        return done.stdout.rstrip("\n")

    def tip(self, ref: str) -> str:
        """Return the commit that a ref, or a commit's name, stands for; empty where there is none."""
        found = self.git("for-each-ref", "--format=%(objectname)", ref) if "/" in ref else ""
        return found or (ref if self.has(ref) else "")

    def has(self, sha: str) -> bool:
        """Whether there is a commit."""
        if len(sha) != 40:
            return False
        answer = self.git("cat-file", "--batch-check", text=f"{sha}\n")
        return answer.startswith(f"{sha} commit")

    def contains(self, sha: str, ref: str) -> bool:
        """Whether a commit is reached from a ref."""
        tip = self.tip(ref)
        return bool(tip) and sha in self.shas(tip)

    def shas(self, *revisions: str) -> tuple[str, ...]:
        """Return the names of commits, newest first."""
        return tuple(self.git("rev-list", *revisions).split())

    def commits(self, shas: Sequence[str]) -> list[GitCommit]:
        """Return commits."""
        if not shas:
            return []
        shape = "--format=%H%x1f%P%x1f%an%x1f%ae%x1f%at%x1f%B%x1e"
        argv = ("log", "--no-walk=unsorted", "--stdin", shape)
        records = self.git(*argv, text="".join(f"{sha}\n" for sha in shas)).split("\x1e")
        return [_commit(each.strip("\n")) for each in records if each.strip()]

    def tree(self, sha: str) -> str:
        """Return a commit's tree."""
        return self.git("rev-parse", f"{sha}^{{tree}}")

    def commit(
        self,
        files: Mapping[str, str | None],
        *parents: str,
        message: str = "Change",
        author: str = "someone",
        ref: str = "refs/emulator/new",
    ) -> str:
        """Make a commit and move a ref to it: files over its first parent's, where None takes one away."""
        who = f"{author} <{author}@people.example> {int(time.time())} +0000"
        lines = [f"commit {ref}", "mark :1", f"author {who}", f"committer {who}", _data(message)]
        lines += [f"{word} {sha}" for word, sha in zip(("from", "merge"), parents, strict=False)]
        for path, content in files.items():
            named = json.dumps(path, ensure_ascii=False)  # as git quotes it
            lines += (
                [f"D {named}"] if content is None else [f"M 100644 inline {named}", _data(content)]
            )
        lines += ["get-mark :1", "done", ""]
        argv = ("fast-import", "--quiet", "--force", "--done", "--cat-blob-fd=1")
        return self.git(*argv, text="\n".join(lines))

    def commit_tree(self, tree: str, *parents: str, message: str, **variables: str) -> str:
        """Make a commit of a tree."""
        named = [word for parent in parents for word in ("-p", parent)]
        return self.git("commit-tree", tree, *named, text=message, **variables)

    def update(self, ref: str, sha: str) -> None:
        """Move a ref."""
        self.git("update-ref", ref, sha)

    def update_all(self, refs: Mapping[str, str]) -> None:
        """Move several refs."""
        self.git(
            "update-ref", "--stdin", text="".join(f"update {r} {s}\n" for r, s in refs.items())
        )

    def refs(self) -> dict[str, str]:
        """Return every ref with its commit."""
        lines = self.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        return dict(line.split(" ") for line in lines)

    def merged_tree(self, base: str, head: str) -> str:
        """Return the tree of a merge; empty where there is a conflict."""
        done = subprocess.run(
            ["git", "-C", str(self.root), "merge-tree", "--write-tree", base, head],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.split()[0] if done.returncode == 0 else ""

    def rebased(self, base: str, head: str) -> tuple[str, ...]:
        """Return the commits of a branch as made anew upon another, oldest first."""
        with tempfile.TemporaryDirectory() as folder:
            place = str(Path(folder) / "tree")
            self.git("worktree", "add", "--quiet", "--detach", place, base)
            try:
                self.git("-C", place, "cherry-pick", f"{base}..{head}")
                tip = self.git("-C", place, "rev-parse", "HEAD")
            finally:
                self.git("worktree", "remove", "--force", place)
        return tuple(reversed(self.shas(f"{base}..{tip}")))


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}"


def _commit(record: str) -> GitCommit:
    sha, parents, author, email, date, message = record.split("\x1f")
    return GitCommit(sha, tuple(parents.split()), author, email, int(date), message.rstrip("\n"))
