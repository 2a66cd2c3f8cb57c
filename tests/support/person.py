"""People who can open things."""

from pathlib import Path

import pyrage

from schemas.project import Recipient


class Person:
    """Somebody with an age key in a file."""

    def __init__(self, folder: Path, name: str) -> None:
        identity = pyrage.x25519.Identity.generate()
        self.secret = str(identity)
        self.public = str(identity.to_public())
        self.recipient = Recipient(age=self.public)
        self.file = folder / f"{name}.txt"
        self.file.write_text(self.secret + "\n", encoding="ascii")
