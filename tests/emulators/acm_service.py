"""ACM's operations, in the json 1.1 protocol, checked against AWS's own model on the way in and out."""

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from acm_certificates import Certificate
from acm_model import check, operations
from acm_rules import check_import, check_reimport, check_tags
from acm_search import is_listed, matches
from acm_store import Store
from aws_errors import Refusal, invalid

Body = dict[str, Any]
_PUBLIC_KEYS = ("RSA_2048", "EC_prime256v1", "EC_secp384r1")


@dataclass
class Acm:
    """`users` says what uses which ARN; `now` is the service's clock."""

    users: dict[str, list[str]] = field(default_factory=dict)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def answer(self, operation: str, body: bytes, store: Store) -> bytes:
        """Return the answer to an operation; raises `Refusal`."""
        known = operations().get(operation)
        perform = _OPERATIONS.get(operation)
        if known is None or perform is None or known.input_shape is None:
            raise Refusal("UnknownOperationException", "")
        asked = json.loads(body)
        check(asked, known.input_shape)
        with store.lock:
            for certificate in store.certificates.values():
                certificate.in_use_by = self.users.get(certificate.arn, [])
            told = perform(self, store, asked)
        if known.output_shape is not None:
            # of what there is none of, the service tells an empty list, whatever its model says
            check({name: item for name, item in told.items() if item != []}, known.output_shape)
        return json.dumps(_spelt(told), default=lambda when: when.timestamp()).encode()


def _spelt(told: Body) -> Body:
    """Write keys as ListCertificates and DescribeCertificate do, against their model: `RSA-2048`."""
    for item in told.get("CertificateSummaryList", [told.get("Certificate")]):
        if isinstance(item, dict) and "KeyAlgorithm" in item:
            item["KeyAlgorithm"] = item["KeyAlgorithm"].replace("_", "-")
    return told


def _import(acm: Acm, store: Store, asked: Body) -> Body:
    pem, key = (base64.b64decode(asked[name]) for name in ("Certificate", "PrivateKey"))
    given = asked.get("CertificateChain")
    chain = base64.b64decode(given) if given else None
    arn, now = asked.get("CertificateArn"), acm.now()
    if arn and "Tags" in asked:
        raise invalid("Tagging is not permitted on re-import.")
    before = store.get(arn) if arn else None
    parsed = check_import(pem, key, chain, now)
    tags = _tags(asked)
    check_tags({}, tags)
    if before is not None:
        check_reimport(before, parsed)
    store.count_import(now, new=before is None)
    store.imports.append(now)
    if before is None:
        return {"CertificateArn": store.put_imported(parsed, chain, tags, now).arn}
    store.changing(before.arn)
    before.parsed, before.chain, before.imported_at = parsed, chain, now
    return {"CertificateArn": before.arn}


def _request(acm: Acm, store: Store, asked: Body) -> Body:
    names = tuple(dict.fromkeys([asked["DomainName"], *asked.get("SubjectAlternativeNames", ())]))
    if len(asked["DomainName"]) > 64:
        raise invalid("The first domain name can be no longer than 64 characters.")
    if len(names) > 10:
        raise Refusal(
            "LimitExceededException", "More than 10 domain names: ask for a higher quota."
        )
    if asked.get("ValidationMethod") != "DNS" or "CertificateAuthorityArn" in asked:
        raise invalid("the emulator knows public certificates with DNS validation alone")
    algorithm = asked.get("KeyAlgorithm", "RSA_2048")
    if algorithm not in _PUBLIC_KEYS:
        raise invalid(f"{algorithm} is not supported for public certificates.")
    token = asked.get("IdempotencyToken")
    for each in store.certificates.values():
        if token and each.token == token and (acm.now() - each.created_at).total_seconds() < 3_600:
            return {"CertificateArn": each.arn}
    requested = Certificate(
        arn=store.new_arn(),
        type="AMAZON_ISSUED",
        created_at=acm.now(),
        names=names,
        key_algorithm=algorithm,
        status="PENDING_VALIDATION",
        tags=_tags(asked),
        export=asked.get("Options", {}).get("Export", "DISABLED"),
        token=token,
    )
    return {"CertificateArn": store.put(requested).arn}


def _list(acm: Acm, store: Store, asked: Body) -> Body:
    fresh = () if asked.get("NextToken") else store.lists.listed(store.certificates)
    listed = [each for each in fresh if is_listed(each, asked, acm.now())]
    page, following = store.page(asked.get("NextToken"), asked.get("MaxItems", 1_000), listed)
    told: Body = {"CertificateSummaryList": [each.summary(acm.now()) for each in page]}
    return told | ({"NextToken": following} if following else {})


def _search(acm: Acm, store: Store, asked: Body) -> Body:
    fresh = () if asked.get("NextToken") else store.lists.listed(store.certificates)
    statement = asked.get("FilterStatement")
    found = [each for each in fresh if not statement or matches(each, statement, acm.now())]
    page, following = store.page(asked.get("NextToken"), asked.get("MaxResults", 100), found)
    told: Body = {"Results": [each.found(acm.now()) for each in page]}
    return told | ({"NextToken": following} if following else {})


def _describe(acm: Acm, store: Store, asked: Body) -> Body:
    return {"Certificate": store.get(asked["CertificateArn"]).detail(acm.now())}


def _get(_: Acm, store: Store, asked: Body) -> Body:
    certificate = store.get(asked["CertificateArn"])
    if certificate.parsed is None:
        raise Refusal("RequestInProgressException", "The certificate request is in progress.")
    told = {"Certificate": certificate.parsed.pem.decode()}
    return told | ({"CertificateChain": certificate.chain.decode()} if certificate.chain else {})


def _delete(_: Acm, store: Store, asked: Body) -> Body:
    certificate = store.get(asked["CertificateArn"])
    if certificate.in_use_by:
        raise Refusal("ResourceInUseException", f"Certificate {certificate.arn} is in use.")
    if certificate.origin == "ACME":
        raise Refusal("ConflictException", "A certificate issued by ACME cannot be deleted.")
    store.changing(certificate.arn)
    del store.certificates[certificate.arn]
    return {}


def _add_tags(_: Acm, store: Store, asked: Body) -> Body:
    certificate = store.get(asked["CertificateArn"])
    check_tags(certificate.tags, _tags(asked))
    store.changing(certificate.arn)
    certificate.tags |= _tags(asked)
    return {}


def _remove_tags(_: Acm, store: Store, asked: Body) -> Body:
    certificate = store.get(asked["CertificateArn"])
    check_tags({}, _tags(asked))
    store.changing(certificate.arn)
    for tag in asked["Tags"]:
        if tag.get("Value", certificate.tags.get(tag["Key"])) == certificate.tags.get(tag["Key"]):
            certificate.tags.pop(tag["Key"], None)
    return {}


def _list_tags(_: Acm, store: Store, asked: Body) -> Body:
    tags = store.get(asked["CertificateArn"]).tags
    return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def _tags(asked: Body) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in asked.get("Tags", ())}


_OPERATIONS: Mapping[str, Callable[[Acm, Store, Body], Body]] = {
    "ImportCertificate": _import,
    "RequestCertificate": _request,
    "ListCertificates": _list,
    "SearchCertificates": _search,
    "DescribeCertificate": _describe,
    "GetCertificate": _get,
    "DeleteCertificate": _delete,
    "AddTagsToCertificate": _add_tags,
    "RemoveTagsFromCertificate": _remove_tags,
    "ListTagsForCertificate": _list_tags,
}
