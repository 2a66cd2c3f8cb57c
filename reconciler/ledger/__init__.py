"""The ledger: what certform issued, on a git branch of its own, written ahead of every effect."""
