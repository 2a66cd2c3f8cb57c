"""The words: what a user may write, and what a saved plan says. No I/O, no crypto, no SDK."""
