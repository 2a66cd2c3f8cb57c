"""Serials as AWS writes them: octets in hex with colons between, `0f:1a`."""


def write(serial: str) -> str:
    """Return a serial (hex) as AWS has it, which is of two octets at the least."""
    even = serial.zfill(max(4, len(serial) + len(serial) % 2))
    return ":".join(even[at : at + 2] for at in range(0, len(even), 2))


def read(text: str | None) -> str | None:
    """Return a serial of AWS in hex; None where there is none, or something else."""
    try:
        return f"{int(text.replace(':', ''), 16):x}" if text else None
    except ValueError:
        return None
