"""What an examination found, after seeing that it is there."""

from reconciler.diagnostics import Diagnostic
from reconciler.repository import Examination
from reconciler.state import Desired
from schemas.plan import Source


def desired(examination: Examination) -> Desired:
    """What the documents ask for, nothing having been wrong with them."""
    assert examination.desired is not None, examination.diagnostics
    return examination.desired


def source(found: Diagnostic) -> Source:
    """The place a finding is about."""
    assert found.source is not None, found
    return found.source
