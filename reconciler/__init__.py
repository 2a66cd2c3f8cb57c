"""The mind: pure in the middle, I/O at the edges."""

__version__ = "0.1.0"
