"""A package index on loopback with one small package, which pip and uv can install from."""

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass

from wire import Request, Response, Wire

NAME = "smallest"
FILE = f"{NAME}-1.0-py3-none-any.whl"
LINK = '<!DOCTYPE html><html><body><a href="/files/{file}#sha256={digest}">{file}</a></body></html>'


def wheel() -> bytes:
    """Return a wheel of one module that knows who it is."""
    about = f"{NAME}-1.0.dist-info"
    files = {
        f"{NAME}.py": "ORIGIN = __file__\n",
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {NAME}\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()]
    files[f"{about}/RECORD"] = "\n".join([*lines, f"{about}/RECORD,,"]) + "\n"
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text)
    return made.getvalue()


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()


@dataclass(frozen=True)
class Index:
    """The index; `lock` is what a lock file says of its package."""

    wire: Wire
    content: bytes

    @classmethod
    def made(cls) -> "Index":
        content = wheel()
        page = LINK.format(file=FILE, digest=hashlib.sha256(content).hexdigest()).encode()

        def serve(request: Request) -> Response:
            if request.path == f"/simple/{NAME}/":
                return Response(200, page, {"Content-Type": "text/html"})
            if request.path == f"/files/{FILE}":
                return Response(200, content, {"Content-Type": "application/zip"})
            return Response(404)

        return cls(Wire(serve, lambda request: request.path), content)

    @property
    def url(self) -> str:
        return f"{self.wire.url}/simple"

    @property
    def lock(self) -> str:
        return f"{NAME}==1.0 \\\n    --hash=sha256:{hashlib.sha256(self.content).hexdigest()}\n"
