"""What a plan that failed shows in its place, as Markdown: what is wrong, where, and what to do."""

from collections.abc import Sequence

from reconciler.diagnostics import Diagnostic, Severity
from reconciler.render.diagnostics import tally
from reconciler.render.escape import flowing, prose
from reconciler.render.markdown import Setting
from reconciler.render.room import Part, composed
from reconciler.render.table import place

_HEADER = "| Where | What is wrong | What to do |\n|--|--|--|\n"


def render_failure(
    diagnostics: Sequence[Diagnostic], setting: Setting, limit: int | None = None
) -> str:
    """Return findings of at most `limit` bytes, errors first; what does not fit is counted."""
    graver = sorted(diagnostics, key=lambda found: found.severity is not Severity.ERROR)
    table = Part(
        items=[_row(found, setting.blob_url) for found in graver],
        rest=lambda left: f"\n**{left:,} more** without a row here{setting.rest}.",
        opening=_HEADER,
    )
    label = f" ({prose(setting.label)})" if setting.label else ""
    heading = f"### Certificates: no plan, {tally(diagnostics)}{label}"
    remarks = " ".join(prose(remark) for remark in setting.remarks)
    return composed((heading, setting.status, table, remarks, setting.closing), limit) + "\n"


def _row(found: Diagnostic, blob_url: str) -> str:
    where = place(found.source, blob_url) if found.source else ""
    grave = found.severity is Severity.ERROR
    what = f"{'**error**' if grave else 'warning'}: {prose(flowing(found.summary))}"
    if found.detail:
        what += f"<br>{prose(flowing(found.detail))}"
    return f"| {where} | {what} | {prose(flowing(found.hint))} |"
