"""The envelope every document wears, and the kinds there are."""

from typing import Annotated, Generic, TypeVar

from pydantic import Field

from schemas.authority import AuthoritySpec
from schemas.base import API_VERSION, Model
from schemas.bundle import BundleSpec
from schemas.certificate import CertificateDraft, CertificateSetSpec, ProfileSpec
from schemas.issuer import IssuerSpec
from schemas.policy import PolicySpec
from schemas.project import ProjectSpec
from schemas.revocation import RevocationSpec
from schemas.scalars import Name, OfOthers, Text
from schemas.target import TargetSpec

SPECS: dict[str, type[Model]] = {
    "Project": ProjectSpec,
    "Authority": AuthoritySpec,
    "Issuer": IssuerSpec,
    "Profile": ProfileSpec,
    "Certificate": CertificateDraft,
    "CertificateSet": CertificateSetSpec,
    "Target": TargetSpec,
    "Bundle": BundleSpec,
    "Policy": PolicySpec,
    "Revocation": RevocationSpec,
}
"""The kinds, in the order a newcomer meets them."""


class Metadata(Model):
    """What a document is called. `formerly` keeps a certificate's history through a rename."""

    name: Name
    labels: dict[Annotated[Name, OfOthers], Text] = Field(default_factory=dict)
    formerly: tuple[Name, ...] = ()


Spec = TypeVar("Spec", bound=Model)


class Envelope(Model, Generic[Spec]):
    """A whole document: what it is, what it is called, what it says."""

    api_version: str = API_VERSION
    kind: str
    metadata: Metadata
    spec: Spec


__all__ = ["API_VERSION", "SPECS", "Envelope", "Metadata", "Spec"]
