"""The words of others, such as a CA's, which may be anything at all."""


def printable(text: str, longest: int) -> str:
    """Return words fit to be shown: on one line, clipped, with nothing that steers a terminal."""
    line = "".join(c if c.isprintable() else " " for c in text[: 2 * longest])
    line = " ".join(line.split())
    return line if len(line) <= longest else f"{line[:longest]}..."
