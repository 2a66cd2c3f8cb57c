"""Renderings of plans, findings, events and inventories as text, Markdown, JSON and CSV. Pure."""
