"""What makes local targets and requests to install into them, and what lies there afterwards."""

from collections.abc import Callable
from pathlib import Path

from providers.base import InstallRequest
from providers.local.directory import LocalDirectoryTarget

MakeTarget = Callable[..., LocalDirectoryTarget]
Wanted = Callable[..., InstallRequest]


def listed(folder: Path) -> list[str]:
    """Return the names in a folder, sorted."""
    return sorted(each.name for each in folder.iterdir())
