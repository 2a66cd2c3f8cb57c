"""The inventory of a world as a page; pure, so that whoever has surveyed it can write one."""

from reconciler.diff import World
from reconciler.inventory import inventory
from reconciler.planning import make_plan
from reconciler.render.bundles import with_bundles
from reconciler.render.page import render_page
from reconciler.selection import Selection, labelled
from reconciler.trusting import bundle_rows

_ALL = Selection()


def page(
    world: World, selection: Selection = _ALL, *, foreign: bool = False, blob_url: str = ""
) -> str:
    """Return one HTML file that shows what there is, wanted or not, and what stands in each target.

    Of a selection its labels count. `blob_url` is where files of the repository can be read, such as
    https://HOST/OWNER/NAME/blob/COMMIT; without one, files are named and not linked.
    """
    plan = make_plan(world)
    certificates = inventory(world, plan.changes, foreign=foreign)
    rows = with_bundles(certificates, bundle_rows(world, plan.changes), plan.created_at)
    if labels := selection.labels:
        rows = [row for row in rows if labelled(row.address, labels, world.desired)]
        meant = [step for step in plan.changes if labelled(step.address, labels, world.desired)]
        update = {"changes": tuple(meant), "selection": selection.words()}
        plan = plan.model_copy(update=update)
    return render_page(plan, rows, blob_url=blob_url)
