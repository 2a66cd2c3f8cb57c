"""The types of what makes local targets, and requests to install into them."""

from collections.abc import Callable

from providers.base import InstallRequest
from providers.local.directory import LocalDirectoryTarget

MakeTarget = Callable[..., LocalDirectoryTarget]
Wanted = Callable[..., InstallRequest]
