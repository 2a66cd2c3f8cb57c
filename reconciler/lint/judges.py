"""pkilint, in process: RFC 5280, the CA/Browser Forum's rules for TLS, and a certificate beside its issuer's.

The one module that imports it, and only once something is to be looked at: that takes a third of a second.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pkilint import document, finding_filter, loader, pkix, validation
from pkilint.cabf import serverauth
from pkilint.cabf.serverauth.serverauth_constants import CertificateType
from pkilint.pkix import algorithm, certificate, extension, key, name
from pyasn1_alt_modules import rfc5280

from reconciler.lint.findings import Finding, Severity

_SEVERITIES = {
    validation.ValidationFindingSeverity.FATAL: Severity.ERROR,
    validation.ValidationFindingSeverity.ERROR: Severity.ERROR,
    validation.ValidationFindingSeverity.WARNING: Severity.WARNING,
    validation.ValidationFindingSeverity.NOTICE: Severity.WARNING,
}
PKIX, TLS = "RFC 5280", "cabf-tls"


def _pkix_validators() -> Any:
    return certificate.create_pkix_certificate_validator_container(
        certificate.create_decoding_validators(
            name.ATTRIBUTE_TYPE_MAPPINGS, extension.EXTENSION_MAPPINGS
        ),
        [
            certificate.create_issuer_validator_container([]),
            certificate.create_validity_validator_container(),
            certificate.create_subject_validator_container([]),
            certificate.create_extensions_validator_container([]),
            certificate.create_spki_validator_container([]),
        ],
    )


def _pair_validators() -> tuple[Any, Any]:
    """All that pkilint looks at between two certificates but the signature: a specimen has none."""
    decoders = [
        pkix.create_attribute_decoder(name.ATTRIBUTE_TYPE_MAPPINGS),
        pkix.create_extension_decoder(extension.EXTENSION_MAPPINGS),
        pkix.create_signature_algorithm_identifier_decoder(
            algorithm.SIGNATURE_ALGORITHM_IDENTIFIER_MAPPINGS,
            path="certificate.tbsCertificate.signature",
        ),
        certificate.create_spki_decoder(
            key.SUBJECT_PUBLIC_KEY_ALGORITHM_IDENTIFIER_MAPPINGS,
            key.SUBJECT_KEY_PARAMETER_ALGORITHM_IDENTIFIER_MAPPINGS,
        ),
    ]
    comparing = [
        name.IssuerSubjectNameBinaryEqualValidator(
            path="certificate.tbsCertificate.subject",
            subject_document_issuer_dn_path="subject:certificate.tbsCertificate.issuer",
        ),
        extension.IssuerSubjectKeyIdentifierBinaryEqualValidator(
            subject_auth_key_id_retriever=_authority_key_id
        ),
        certificate.certificate_extension.IssuerSubjectPolicyChainValidator(),
    ]
    return (
        validation.ValidatorContainer(validators=decoders, path="certificate"),
        validation.ValidatorContainer(validators=comparing),
    )


def _authority_key_id(node: Any) -> Any:
    subject = document.get_document_by_name(node, "subject")
    return subject.get_extension_by_oid(rfc5280.id_ce_authorityKeyIdentifier)


@dataclass
class Judges:
    """The validators, each built once: that takes longer than many certificates."""

    _tls: dict[CertificateType, Any] = field(default_factory=dict)
    _pkix: Any = field(default_factory=_pkix_validators)
    _pair: tuple[Any, Any] = field(default_factory=_pair_validators)

    def pkix(self, der: bytes) -> Iterator[Finding]:
        """Yield what RFC 5280 has against a certificate."""
        yield from _findings(PKIX, self._pkix.validate(loader.load_der_certificate(der, "it").root))

    def tls(self, der: bytes, *, organised: bool) -> Iterator[Finding]:
        """Yield what the Baseline Requirements for TLS have against a certificate.

        `organised` tells that its subject names an organisation, which only some kinds may.
        """
        read = loader.load_der_certificate(der, "it")
        kind = serverauth.determine_certificate_type(read)
        if organised and kind is CertificateType.DV_FINAL_CERTIFICATE:
            kind = CertificateType.OV_FINAL_CERTIFICATE
        if kind not in self._tls:
            self._tls[kind] = certificate.create_pkix_certificate_validator_container(
                serverauth.create_decoding_validators(), serverauth.create_validators(kind)
            )
        filters = serverauth.create_serverauth_finding_filters(kind)
        kept, _ = finding_filter.filter_results(filters, self._tls[kind].validate(read.root))
        yield from _findings(TLS, kept)

    def pair(self, issuer: bytes, der: bytes) -> Iterator[Finding]:
        """Yield what does not fit between a certificate and its issuer's: names and key identifiers."""
        both: dict[str, Any] = {}
        for label, each in (("issuer", issuer), ("subject", der)):
            loaded = loader.RFC5280CertificateDocumentLoader()
            both[label] = loaded.load_der_document(each, label, label, both)
        decode, compare = self._pair
        for each in both.values():
            decode.validate(each.root)
        yield from _findings(PKIX, compare.validate(both["issuer"].root))


def _findings(judge: str, results: Iterable[validation.ValidationResult]) -> Iterator[Finding]:
    for result in results:
        for described in result.finding_descriptions:
            severity = _SEVERITIES.get(described.finding.severity)
            if severity is not None:
                code, message = described.finding.code, described.message or ""
                yield Finding(judge, severity, code, message, result.node.path)
