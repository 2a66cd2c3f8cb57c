"""A package index on loopback with one small package and a uv, which pip and uv can install from."""

import base64
import hashlib
import io
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from wire import Request, Response, Wire

NAME = "smallest"
FILE = f"{NAME}-1.0-py3-none-any.whl"
UV = "uv-1.0-py3-none-any.whl"
LINK = '<!DOCTYPE html><html><body><a href="/files/{file}#sha256={digest}">{file}</a></body></html>'
LAUNCHER = f'#!/bin/sh\nexec "{Path(sys.executable).parent}/uv" "$@"\n'
"""What the fetched uv is: the one that these tests run beside."""


def wheel(name: str, files: Mapping[str, str]) -> bytes:
    """Return a wheel of some files."""
    about = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    record = "\n".join([*lines, f"{about}/RECORD,,"]) + "\n"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in {**files, f"{about}/RECORD": record}.items():
            entry = zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = (0o100755 if "/scripts/" in path else 0o100644) << 16
            archive.writestr(entry, text)
    return made.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Index:
    """The index; `lock` and `installer` are what the action's lock files say of its packages."""

    wire: Wire
    content: Mapping[str, bytes]

    @classmethod
    def made(cls, uv: str = LAUNCHER) -> "Index":
        """Return an index whose uv is a script, none where that is empty."""
        content = {FILE: wheel(NAME, {f"{NAME}.py": "ORIGIN = __file__\n"})}
        if uv:
            content[UV] = wheel("uv", {"uv-1.0.data/scripts/uv": uv})

        def serve(request: Request) -> Response:
            kind, _, name = request.path.strip("/").partition("/")
            file = f"{name}-1.0-py3-none-any.whl"
            if kind == "simple" and file in content:
                digest = hashlib.sha256(content[file]).hexdigest()
                page = LINK.format(file=file, digest=digest).encode()
                return Response(200, page, {"Content-Type": "text/html"})
            if kind == "files" and name in content:
                return Response(200, content[name], {"Content-Type": "application/zip"})
            return Response(404)

        return cls(Wire(serve, lambda request: request.path), content)

    @property
    def url(self) -> str:
        return f"{self.wire.url}/simple"

    @property
    def lock(self) -> str:
        return self._locked(NAME, FILE)

    @property
    def installer(self) -> str:
        return self._locked("uv", UV)

    def _locked(self, name: str, file: str) -> str:
        digest = hashlib.sha256(self.content.get(file, b"")).hexdigest()
        return f"{name}==1.0 \\\n    --hash=sha256:{digest}\n"
