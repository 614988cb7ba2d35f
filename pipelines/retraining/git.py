"""What a retraining asks of git: which commit it is of, and a work tree at that commit."""

import errno
import os
import re
import shutil
from pathlib import Path
from subprocess import CompletedProcess

from components.core import system
from components.core.errors import (
    BadDataError,
    ResourceError,
    StorageError,
    TailwatchError,
    UsageError,
)
from components.core.files import write_text

_HASH = re.compile(r"[0-9a-f]{40}")
_FULL = (os.strerror(errno.ENOSPC), "Out of diskspace", "unable to write file")  # as git's parts put it
_TELLING = ("fatal:", "error:", "remote:", "! ")
_OWNERS = ("-c", "safe.directory=*")  # a repository in an image belongs to whoever built it


def resolve(project: str, folder: Path | None, revision: str) -> str:
    """The commit that a revision means now.

    Args:
        project: the repository's address.
        folder: the project, where it lies on this machine.

    Raises:
        BadDataError: there is no such commit.
        StorageError: the repository cannot be read.
    """
    if folder is not None:
        _check_repository(folder)
        done = _run("-C", str(folder), "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
        found = done.stdout.strip()
    elif _HASH.fullmatch(revision):
        return revision  # whether the server has it is seen when it is fetched
    else:
        lines = _ask("ls-remote", "--quiet", project, revision, f"{revision}^{{}}").splitlines()
        commits = {name: commit for commit, name in (line.split("\t") for line in lines)}
        found = next((commits[name] for name in _meant_by(revision) if name in commits), "")
    if not found:
        raise _no_commit(project, revision)
    return found


def check_out(project: str, folder: Path | None, commit: str, target: Path) -> Path:
    """A work tree of a repository at a commit, in a new folder; the project's folder in it.

    A repository on this machine lends its objects, so nothing is copied but the files of the commit.

    Raises:
        BadDataError: there is no such commit.
        StorageError: the repository cannot be read.
        ResourceError: the disk is full.
    """
    _ask("init", "--quiet", str(target))
    prefix = ""
    if folder is not None:
        _check_repository(folder)
        objects, shallow, prefix = (_ask("-C", str(folder), "rev-parse", *what) for what in _OF_A_FOLDER)
        write_text(target / ".git/objects/info/alternates", f"{Path(folder, objects).resolve()}\n")
        if Path(folder, shallow).is_file():
            shutil.copy(Path(folder, shallow), target / ".git/shallow")
    else:
        done = _run("-C", str(target), "fetch", "--quiet", "--depth", "1", project, commit)
        if done.returncode:  # a server that gives out branches alone
            _ask("-C", str(target), "fetch", "--quiet", project, "+refs/heads/*:refs/remotes/origin/*")
    done = _run("-C", str(target), "checkout", "--quiet", "--detach", commit)
    if done.returncode:
        known = _run("-C", str(target), "cat-file", "-e", f"{commit}^{{commit}}").returncode == 0
        raise _failed("checkout", done.stderr) if known else _no_commit(project, commit)
    return target / prefix


def push(folder: Path, files: list[str], message: str, date: str, remote: str, branch: str) -> str:
    """Commit files of a work tree and push the commit to a branch of its own; the commit.

    The same files of the same date are the same commit, so that pushing again changes nothing. It is made,
    too, where the work tree's commit has these files already. That of a shallow clone goes without its
    parent to a remote that lacks this.

    Raises:
        StorageError: git failed.
    """
    who = ("-c", "user.name=Tailwatch", "-c", "user.email=tailwatch@localhost")
    dated = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
    _ask("-C", str(folder), "add", "--force", "--", *files)
    tree = _ask("-C", str(folder), "write-tree")
    shallow = _ask("-C", str(folder), "rev-parse", "--is-shallow-repository") == "true"
    for parents in (("-p", "HEAD"), ()) if shallow else (("-p", "HEAD"),):
        commit = _ask("-C", str(folder), *who, "commit-tree", *parents, "-m", message, tree, **dated)
        done = _run("-C", str(folder), "push", "--quiet", remote, f"{commit}:refs/heads/{branch}")
        if done.returncode == 0:
            return commit
    raise _failed("push", done.stderr)


def address_of(remote: str, folder: Path | None) -> str:
    """Where git, in the project's folder, would push to; a remote's name is no address elsewhere.

    Raises:
        UsageError: the project lies on a server, and this is no address.
    """
    if folder is not None:
        done = _run("-C", str(folder), "remote", "get-url", "--push", remote)
        named = remote if done.returncode else done.stdout.strip()
        return named if ":" in named else str((folder / named).resolve())
    if ":" not in remote and not Path(remote).is_absolute():
        raise UsageError(
            f"The git remote is {remote}, and no project on this machine says where that is",
            wanted="an address or an absolute path",
            remedy="correct TAILWATCH_GIT_REMOTE",
        )
    return remote


def _meant_by(revision: str) -> list[str]:
    """The refs that git takes a name for, the first one first; a server also tells those that end in it."""
    return [revision, f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}", f"refs/heads/{revision}"]


_OF_A_FOLDER = (("--git-path", "objects"), ("--git-path", "shallow"), ("--show-prefix",))


def _check_repository(folder: Path) -> None:
    if _run("-C", str(folder), "rev-parse", "--git-dir").returncode:
        raise BadDataError(
            f"{folder} is in no git repository",
            wanted="a project whose state is a commit",
            remedy="`git init`, commit it, then run this again; or name another with TAILWATCH_PROJECT",
        )


def _no_commit(project: str, revision: str) -> BadDataError:
    return BadDataError(
        f"{revision} is no commit of {project}",
        wanted="a branch, a tag or all 40 digits of a commit that the repository has",
        remedy="correct --commit, or push the commit to the repository first",
    )


def _failed(what: str, said: str) -> TailwatchError:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(_TELLING)] or lines[-1:] or ["it said nothing"]
    came = f"git {what} failed: {'; '.join(line.rstrip('.') for line in telling)}"
    if any(text in said for text in _FULL):
        return ResourceError(
            came,
            wanted="room for a work tree of the project",
            remedy="free some, or set TAILWATCH_WORKSPACES to a larger disk, then run this again",
        )
    return StorageError(
        came,
        wanted="the project's git repository",
        remedy="mend what git names, then run this again",
    )


def _ask(*arguments: str, **environment: str) -> str:
    done = _run(*arguments, **environment)
    if done.returncode:
        raise _failed(_subcommand(arguments), done.stderr)
    return done.stdout.strip()


def _subcommand(arguments: tuple[str, ...]) -> str:
    while arguments[0] in ("-C", "-c"):
        arguments = arguments[2:]
    return arguments[0]


def _run(*arguments: str, **environment: str) -> CompletedProcess[str]:
    return system.run(
        ["git", *_OWNERS, *arguments], env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **environment}
    )
