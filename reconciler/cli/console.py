"""Whether output is coloured, decided from what the user and the terminal say."""

from collections.abc import Mapping
from enum import StrEnum


class ColourOption(StrEnum):
    """What `--color` may be."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def wants_colour(option: ColourOption, environ: Mapping[str, str], *, is_terminal: bool) -> bool:
    """Decide by the option, NO_COLOR (no-color.org), FORCE_COLOR and the terminal, in this order."""
    if option is not ColourOption.AUTO:
        return option is ColourOption.ALWAYS
    if environ.get("NO_COLOR"):
        return False
    if any(environ.get(name, "") not in ("", "0") for name in ("FORCE_COLOR", "CLICOLOR_FORCE")):
        return True
    return is_terminal and environ.get("TERM") != "dumb"
