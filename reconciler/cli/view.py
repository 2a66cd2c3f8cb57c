"""A plan in the form that was asked for."""

from reconciler.render.markdown import render_markdown
from reconciler.render.text import render_text
from schemas.plan import Plan


def render(plan: Plan, form: str, *, colour: bool) -> str:
    """Return a plan as `text`, `markdown` or `json`."""
    if form == "json":
        return plan.model_dump_json(indent=2, exclude_none=True)
    if form == "markdown":
        return render_markdown(plan)
    return render_text(plan, colour=colour)
