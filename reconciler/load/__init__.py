"""From files, in a working tree or at a commit, to documents with a place for every word."""
