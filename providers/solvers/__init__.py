"""What proves to a public CA that a name is ours, where no cloud is needed for it."""
