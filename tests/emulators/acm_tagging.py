"""GetResources of the Resource Groups Tagging API, over what the emulated ACM holds."""

import json
from collections.abc import Mapping
from typing import Any

from acm_certificates import Certificate
from acm_store import Store
from aws_errors import Refusal


def answer(operation: str, body: bytes, store: Store) -> bytes:
    """Return the answer to GetResources; raises `Refusal`."""
    if operation != "GetResources":
        raise Refusal("UnknownOperationException", "")
    asked = json.loads(body)
    size, kinds = asked.get("ResourcesPerPage", 50), asked.get("ResourceTypeFilters", ())
    if not 1 <= size <= 100:
        raise Refusal("InvalidParameterException", "ResourcesPerPage must be from 1 to 100")
    with store.lock:
        token = asked.get("PaginationToken") or None
        fresh = [] if token else store.tagged.listed(store.certificates)
        wanted = [each for each in fresh if each.tags and _is_wanted(each, asked)]
        listed = wanted if not kinds or {"acm", "acm:certificate"} & set(kinds) else []
        page, following = store.page(token, size, listed)
    told = {
        "ResourceTagMappingList": [_mapping(each) for each in page],
        "PaginationToken": following or "",
    }
    return json.dumps(told).encode()


def _is_wanted(certificate: Certificate, asked: Mapping[str, Any]) -> bool:
    arns = asked.get("ResourceARNList")
    return (not arns or certificate.arn in arns) and all(
        each["Key"] in certificate.tags
        and (not each.get("Values") or certificate.tags[each["Key"]] in each["Values"])
        for each in asked.get("TagFilters", ())
    )


def _mapping(certificate: Certificate) -> dict[str, Any]:
    tags = [{"Key": key, "Value": value} for key, value in certificate.tags.items()]
    return {"ResourceARN": certificate.arn, "Tags": tags}
