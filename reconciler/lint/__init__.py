"""What would be signed, looked at before it is: built as it would be, and judged by a linter of others."""

from reconciler.lint.linter import Linter

__all__ = ["Linter"]
