"""The pull request: what a workflow of GitHub Actions runs, and everything it tells there."""
