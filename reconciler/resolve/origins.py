"""Where each value was written: in the document itself, in a profile, or nowhere: a default."""

from collections.abc import Iterable, Mapping

from reconciler.load.documents import Document
from reconciler.load.yaml import Value
from reconciler.resolve.catalogue import catalogue
from reconciler.resolve.desired import drafts_of
from reconciler.resolve.drafts import Layer, section
from schemas.plan import Source


class Origins:
    """Looks up the place of a field of a Certificate or Authority by the document's name."""

    def __init__(self, documents: Iterable[Document], tables: Mapping[str, str | None]) -> None:
        everything = catalogue(documents, [])
        self._certificates: dict[Value, Layer] = {
            section(draft.data, "metadata").get("name"): draft
            for draft in drafts_of(everything, tables, [])
        }
        self._authorities: dict[Value, Layer] = {
            name: entry.document for name, entry in everything.authorities.entries.items()
        }

    def __call__(self, kind: str, name: str, field: str) -> Source | None:
        """Return the place, None where the value is a default or follows from others."""
        layer = (self._authorities if kind == "Authority" else self._certificates).get(name)
        if layer is None:
            return None
        if field == "labels" and field in section(layer.data, "metadata"):
            return layer.at("metadata", field)
        return layer.at("spec", field) if field in section(layer.data, "spec") else None
