"""Installs the packages of requirements.lock into an environment that later jobs find again.

Writes the output `python`, the environment's interpreter. An environment is published by one
rename of a small file, once everything is in it: so what a killed job left behind is never used,
and jobs that install at the same time do not meet.
"""

import ast
import hashlib
import os
import secrets
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK = Path(__file__).resolve().parent / "requirements.lock"
INSTALLER = LOCK.with_name("installer.lock")
"""Locks uv, which pip fetches where there is none: both together take less than half of what pip takes."""
STALE, UNUSED = 24 * 3600, 60 * 24 * 3600
"""Seconds: after these a killed job's environment is removed, and one that no job has used since."""
OTHERS = ("PYTHON", "VIRTUAL_ENV", "CONDA_", "__PYVENV_LAUNCHER__")
"""Variables that begin so make an interpreter look for packages elsewhere."""
MISLEADING = frozenset({
    "PIP_CONSTRAINT", "PIP_NO_BINARY", "PIP_PREFIX", "PIP_PYTHON", "PIP_REQUIREMENT", "PIP_ROOT",
    "PIP_TARGET", "UV_BUILD_CONSTRAINT", "UV_CONSTRAINT", "UV_EXCLUDE",
    "UV_EXCLUDE_NEWER", "UV_NO_BINARY", "UV_OVERRIDE", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON",
    "UV_REQUIRE_HASHES", "UV_SYSTEM_PYTHON",
})  # fmt: skip
"""Settings of pip and uv that say what to install, or where; where it comes from is obeyed."""

SHARED = frozenset({
    "break-system-packages", "cache-dir", "compile", "config-file", "default-timeout",
    "disable-pip-version-check",
    "index-url", "no-cache-dir", "no-color", "no-compile", "no-input", "no-warn-script-location",
    "prefer-binary", "progress-bar", "quiet", "require-virtualenv", "retries", "root-user-action",
    "timeout", "user", "verbose",
})  # fmt: skip
"""Settings of pip that a fetched uv is told, or that do not change what is installed from where."""


class Failed(Exception):
    """There is no environment; the text says why and what to do."""


def main() -> None:
    """Find or make the environment; ends the process with 1 where neither is possible."""
    try:
        python = environment(os.environ)
    except Failed as why:
        print(f"::error title=certform::{why}")
        sys.exit(1)
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8", newline="\n") as file:
        file.write(f"python={python}\n")


def environment(environ: Mapping[str, str]) -> Path:
    """Return the interpreter of an environment that holds the locked packages."""
    place = _place(environ)
    pointer = place / f"{_key()}.txt"
    if (python := _published(pointer)) is not None:
        print(f"certform: the environment of an earlier run is used: {python}", flush=True)
        return python
    _sweep(place)
    made = Path(tempfile.mkdtemp(prefix=f"{pointer.stem}-", dir=place))
    try:
        python = _made(made, environ)
        if (theirs := _published(pointer)) is not None:
            shutil.rmtree(made, ignore_errors=True)
            return theirs
        _publish(made, pointer)
    except BaseException:
        shutil.rmtree(made, ignore_errors=True)
        raise
    return python


def _place(environ: Mapping[str, str]) -> Path:
    """Return a folder for environments that may be written to: one that stays, if there is one."""
    for root in (
        environ.get("RUNNER_TOOL_CACHE"),
        environ.get("RUNNER_TEMP"),
        tempfile.gettempdir(),
    ):
        if not root:
            continue
        place = Path(root) / "certform"
        try:
            place.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=place).close()
        except OSError:
            continue
        return place
    raise Failed("Neither RUNNER_TOOL_CACHE nor RUNNER_TEMP can be written to.")


def _key() -> str:
    """Return a name for what is to be installed, and for what: each has an environment of its own."""
    parts = (
        LOCK.read_text(encoding="utf-8"),
        sys.version,
        sysconfig.get_platform(),
        sys.base_prefix,
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _published(pointer: Path) -> Path | None:
    """Return the interpreter of a complete environment; None where its Python is gone, too."""
    try:
        python = _interpreter(pointer.parent / pointer.read_text(encoding="utf-8").strip())
    except OSError:
        return None
    if not python.exists():
        return None
    with suppress(OSError):
        os.utime(pointer)  # tells that it is in use
    return python


def _publish(made: Path, pointer: Path) -> None:
    fresh = pointer.with_suffix(f".{secrets.token_hex(8)}")
    fresh.write_text(f"{made.name}\n", encoding="utf-8")
    fresh.replace(pointer)


def _sweep(place: Path) -> None:
    """Remove what killed jobs left; an environment somebody may be making is not touched."""
    for pointer in place.glob("*.txt"):
        if _age(pointer) > UNUSED:
            pointer.unlink(missing_ok=True)
    used = {each.read_text(encoding="utf-8").strip() for each in place.glob("*.txt")}
    for each in place.iterdir():
        if each.is_dir() and each.name not in used and _age(each) > STALE:
            shutil.rmtree(each, ignore_errors=True)


def _age(path: Path) -> float:
    return time.time() - path.stat().st_mtime


def _made(place: Path, environ: Mapping[str, str]) -> Path:
    how, uv = environ.get("CERTFORM_INPUT_INSTALL") or "auto", shutil.which("uv")
    if how not in ("auto", "uv", "pip"):
        raise Failed(f"The input `install` must be auto, uv, pip or none, not {how!r}.")
    if how == "uv" and uv is None:
        raise Failed("The input `install` is uv, and there is no uv on PATH.")
    kept = {k: v for k, v in environ.items() if k not in MISLEADING and not k.startswith(OTHERS)}
    if how == "auto" and uv is None and _fetched(place, kept):
        return _interpreter(place)
    if uv is not None and how != "pip":
        _install("uv", _with_uv(uv, place), place, kept)
    else:
        _install("pip", _with_pip(place), place, kept)
    return _interpreter(place)


def _install(
    tool: str, commands: Iterator[Sequence[str]], place: Path, environ: Mapping[str, str]
) -> None:
    with _group(f"Install the packages of certform with {tool}"):
        for argv in commands:
            _run(argv, place, environ)


def _fetched(place: Path, environ: Mapping[str, str]) -> bool:
    """Install with a uv that pip fetches, and return whether that was possible; else pip does without."""
    settings = _settings(place, environ) if _pip() >= (22, 3) else None
    if settings is None or not settings.keys() <= SHARED:
        return False
    environ = {**_translated(settings, environ), **environ}
    own = Path(tempfile.mkdtemp(prefix="uv-", dir=place))
    uv = _interpreter(own).with_name("uv.exe" if os.name == "nt" else "uv")
    try:
        _install("uv, which is fetched first", _fetching(own, uv, place), place, environ)
    except (Failed, OSError):
        print("certform: that was not possible, and pip installs them", flush=True)
        return False
    finally:
        shutil.rmtree(own, ignore_errors=True)
    return True


def _translated(settings: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return in uv's words which index pip asks, and by which certificates it knows it."""
    told = {}
    if "index-url" in settings and "UV_INDEX_URL" not in environ:
        told["UV_DEFAULT_INDEX"] = settings["index-url"]
    if bundle := environ.get("REQUESTS_CA_BUNDLE"):
        told["SSL_CERT_FILE"] = bundle
    return told


def _fetching(own: Path, uv: Path, place: Path) -> Iterator[Sequence[str]]:
    yield from _with_pip(own, "--retries=1", lock=INSTALLER)
    yield from _with_uv(str(uv), place)


def _settings(place: Path, environ: Mapping[str, str]) -> Mapping[str, str] | None:
    """Return what pip is told by its files and variables, None where that cannot be read."""
    argv = (sys.executable, "-I", "-m", "pip", "config", "list")
    told = subprocess.run(argv, cwd=place, env=environ, capture_output=True, text=True, check=False)
    lines = [line.partition("=") for line in told.stdout.splitlines()]
    try:
        said = {name: ast.literal_eval(value) for name, _, value in lines}
    except (SyntaxError, ValueError):
        return None
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):  # the last one counts
        own = {name: value for name, value in said.items() if name.rpartition(".")[0] == section}
        found |= {name.rpartition(".")[2]: value for name, value in own.items()}
    return None if told.returncode else found


def _with_uv(uv: str, place: Path) -> Iterator[Sequence[str]]:
    python = str(_interpreter(place))
    yield (
        uv,
        "venv",
        "--quiet",
        "--no-project",
        "--allow-existing",
        "--python",
        sys.executable,
        str(place),
    )
    yield (uv, "pip", "install", "--python", python, *_what("--no-build"))


def _with_pip(place: Path, *more: str, lock: Path = LOCK) -> Iterator[Sequence[str]]:
    """Use the pip that is there, if it can install for another interpreter; else the one of Python."""
    import venv  # noqa: PLC0415 - takes longer than all else where an environment is there already

    python = str(_interpreter(place))
    here = _pip() >= (22, 3)
    venv.create(place, with_pip=False, clear=True, symlinks=os.name != "nt")
    if here:
        pip: Sequence[str] = (sys.executable, "-I", "-m", "pip", "--python", python)
    else:
        yield (python, "-I", "-m", "ensurepip")
        pip = (python, "-I", "-m", "pip")
    flags = (
        "--no-input",
        "--no-user",
        "--no-compile",
        "--disable-pip-version-check",
        "--progress-bar=off",
    )
    yield (*pip, "install", *flags, *more, *_what("--only-binary=:all:", lock))


def _what(wheels: str, lock: Path = LOCK) -> Sequence[str]:
    """Return what both understand. Wheels only: what builds a package is in no lock."""
    return ("--require-hashes", "--no-deps", wheels, "--requirement", str(lock))


def _pip() -> tuple[int, ...]:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - as above

    try:
        return tuple(int(part) for part in version("pip").split(".")[:2])
    except (PackageNotFoundError, ValueError):
        return (0,)


def _interpreter(place: Path) -> Path:
    return place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _run(argv: Sequence[str], place: Path, environ: Mapping[str, str]) -> None:
    """Run a tool in a folder that nobody else writes to: uv obeys the uv.toml it finds."""
    done = subprocess.run(argv, cwd=place, env=environ, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise Failed(
            f"`{Path(argv[0]).name}` could not install what certform needs; the log says why. Behind a"
            " mirror set PIP_INDEX_URL or UV_INDEX_URL; without a network see the input `install`."
        )


@contextmanager
def _group(title: str) -> Iterator[None]:
    """Fold what is written meanwhile; nothing of it is taken for a command of the runner."""
    token = secrets.token_hex(16)
    print(f"::group::{title}\n::stop-commands::{token}", flush=True)
    try:
        yield
    finally:
        print(f"::{token}::\n::endgroup::", flush=True)


main()
