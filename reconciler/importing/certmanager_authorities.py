"""A Certificate of cert-manager with `isCA`: an Authority of ours, with a key of its own."""

from typing import Any

from reconciler.importing.certmanager_catalogue import Catalogue, Issuing, Manifest
from reconciler.importing.certmanager_fields import go_duration, kind_of_key
from reconciler.importing.outcome import Draft
from reconciler.importing.survey import Survey
from schemas.issuer import ACME
from schemas.scalars import format_duration

_NEW = "a new CA with a new key: to go on with theirs, write `existing` (docs/existing-ca.md)"
_FORMS = {
    "dnsDomains": "dnsDomains",
    "ipRanges": "ipRanges",
    "uriDomains": "uriDomains",
    "emailAddresses": "emailDomains",
}


def authority(
    manifest: Manifest,
    survey: Survey,
    catalogue: Catalogue,
    by: Issuing,
    subject: dict[str, Any],
) -> Draft:
    """Return the CA that is made of a Certificate: a root where it signs itself."""
    spec = {**_parent(survey, by), "commonName": manifest.name[:64], **subject}
    if life := go_duration(survey.text("spec", "duration")):
        spec["duration"] = format_duration(life)
        survey.carried(("spec", "duration"), f"duration {spec['duration']}")
    kind = kind_of_key(survey)
    if kind is not None:
        spec["privateKey"] = {"algorithm": str(kind.algorithm), "size": kind.size}
    if constraints := _constraints(survey):
        spec["nameConstraints"] = constraints
    _say(survey, str(kind) if kind else None)
    return Draft("Authority", catalogue.name(manifest), spec, manifest.words, (_NEW,))


def _parent(survey: Survey, by: Issuing) -> dict[str, Any]:
    path = ("spec", "issuerRef", "name")
    survey.known("spec", "issuerRef", "kind")
    survey.known("spec", "issuerRef", "group")
    if by.by_itself:
        survey.carried(path, "a root: no parentRef")
        return {}
    if by.name is None or by.capabilities is ACME:
        survey.left(path, f"{by.said} signs no CA: a root was made of it; choose a parentRef")
        return {}
    (survey.changed if by.guessed else survey.carried)(path, f"parentRef {by.name} ({by.said})")
    return {"parentRef": by.name}


def _constraints(survey: Survey) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for side in ("permitted", "excluded"):
        for theirs, ours in _FORMS.items():
            path = ("spec", "nameConstraints", side, theirs)
            values = tuple(v.removeprefix(".") for v in survey.texts(*path) if "@" not in v)
            if values:
                found.setdefault(side, {})[ours] = values
            if len(values) < len(survey.texts(*path)):
                survey.left(path, "a domain is permitted or excluded, not one address of it")
            elif values:
                survey.changed(
                    path, f"{side}.{ours}: a domain and all below it; other kinds are shut"
                )
    critical = ("spec", "nameConstraints", "critical")
    if survey.text(*critical) == "false":
        survey.changed(critical, "constraints are always critical")
    survey.known(*critical)
    return found


_LEFT = {
    **dict.fromkeys(
        ("dnsNames", "ipAddresses", "uris", "emailAddresses"),
        "a CA speaks for nobody: it has no such names",
    ),
    **dict.fromkeys(
        ("renewBefore", "renewBeforePercentage"),
        "a CA is renewed as long before its end as what it issues lives: see renewBefore",
    ),
    **dict.fromkeys(("keystores", "additionalOutputFormats"), "a CA's key is written nowhere"),
    "secretName": "the key of a CA is in the ledger, sealed, or where custody says",
    "renewal": "a CA is renewed while its document is there",
}
"""What an Authority has not, and why."""


def _say(survey: Survey, kind: str | None) -> None:
    survey.changed(("spec", "isCA"), _NEW)
    for field in ("algorithm", "size"):
        path = ("spec", "privateKey", field)
        if survey.value(*path) is not None:
            (survey.carried if kind else survey.left)(path, f"privateKey {kind or 'as by default'}")
    for field, said in _LEFT.items():
        if survey.value("spec", field) is not None:
            survey.left(("spec", field), said)
    if survey.value("spec", "usages") is not None:
        survey.changed(("spec", "usages"), "a CA signs certificates and CRLs, and nothing else")
    if survey.value("spec", "privateKey", "rotationPolicy") is not None:
        path = ("spec", "privateKey", "rotationPolicy")
        survey.changed(path, "a CA's key changes with its `generation`")
    for key in survey.mapping("metadata", "labels"):
        said = "an Authority installs nothing that could have labels"
        survey.left(("metadata", "labels", key), said)
