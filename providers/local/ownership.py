"""Users and groups by name, as a target's settings give them."""

from providers.errors import Denied
from providers.local.folder import Attributes
from schemas.target import LocalDirectory


def private_attributes(settings: LocalDirectory) -> Attributes:
    """Return owner, group and mode of key files; raises `Denied` for an unknown name."""
    uid = None if settings.owner is None else _user(settings.owner)
    gid = None if settings.group is None else _group(settings.group)
    return Attributes(settings.mode, uid, gid)


def user_name(uid: int) -> str:
    """Return a user's name, or the number when there is none."""
    import pwd  # noqa: PLC0415 - not every system has it

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def group_name(gid: int) -> str:
    """Return a group's name, or the number when there is none."""
    import grp  # noqa: PLC0415 - not every system has it

    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def _user(name: str) -> int:
    import pwd  # noqa: PLC0415 - not every system has it

    if name.isdecimal():
        return int(name)
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise Denied(
            f"this host has no user {name}: create it, or correct `owner` in the target"
        ) from None


def _group(name: str) -> int:
    import grp  # noqa: PLC0415 - not every system has it

    if name.isdecimal():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise Denied(
            f"this host has no group {name}: create it, or correct `group` in the target"
        ) from None
