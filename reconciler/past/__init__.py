"""What a CA did before certform: the files that others kept of it."""
