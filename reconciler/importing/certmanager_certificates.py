"""A Certificate of cert-manager: a Certificate of ours, or an Authority where it is a CA's."""

from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter, ValidationError

from reconciler.importing.certmanager_authorities import authority
from reconciler.importing.certmanager_catalogue import Catalogue, Issuing, Manifest
from reconciler.importing.certmanager_fields import IMPLIED, USAGES, go_duration, kind_of_key
from reconciler.importing.outcome import Draft
from reconciler.importing.survey import Survey
from reconciler.load.yaml import Step
from schemas.certificate import Algorithm
from schemas.issuer import NAME_FIELDS
from schemas.scalars import Name, format_duration

_NAMES = {
    "dns_names": "dnsNames",
    "ip_addresses": "ipAddresses",
    "uris": "uris",
    "email_addresses": "emailAddresses",
}
_SUBJECT = (
    *("organizations", "organizationalUnits", "countries", "localities", "provinces"),
    *("streetAddresses", "postalCodes"),
)


def certificate(manifest: Manifest, survey: Survey, catalogue: Catalogue) -> Draft | None:
    """Return the document that is made of one; None where there can be none, which is said."""
    say_metadata(manifest, survey, catalogue)
    by = catalogue.issuing(manifest)
    _say_encoding(survey)
    if manifest.is_ca:
        return authority(manifest, survey, catalogue, by, _subject(survey, None))
    survey.known("spec", "isCA")
    if survey.value("spec", "nameConstraints") is not None:
        survey.left(("spec", "nameConstraints"), "only a CA (`isCA: true`) is constrained")
    if by.by_itself:
        said = "no certificate here signs itself: choose an Authority or an Issuer"
        by = Issuing(None, said)
    _say_issuer(survey, by)
    names = _names(survey, by)
    spec: dict[str, Any] = {"issuerRef": by.name} if by.name else {}
    spec |= {**names, **_subject(survey, by), **_life(survey, by)}
    if usages := _usages(survey, by):
        spec["usages"] = usages
    if key := _key(survey, by):
        spec["privateKey"] = key
    remarks = _remarks(manifest, survey, by)
    if not names and not spec.get("commonName"):
        survey.left((), "it has no name that can be asked for: no document was made")
        return None
    labels = _labels(survey)
    return Draft("Certificate", catalogue.name(manifest), spec, manifest.words, remarks, labels)


def say_metadata(manifest: Manifest, survey: Survey, catalogue: Catalogue) -> None:
    """Say what a document is called with us."""
    name, kind = catalogue.name(manifest), "authority" if manifest.is_ca else "certificate"
    if name == manifest.name:
        survey.carried(("metadata", "name"), f"{kind}/{name}")
    else:
        survey.changed(("metadata", "name"), f"{kind}/{name}")
    survey.known("metadata", "namespace")
    for key in survey.mapping("metadata", "annotations"):
        if not key.startswith("cert-manager.io/") or key.endswith("/issue-temporary-certificate"):
            survey.known("metadata", "annotations", key)


def _labels(survey: Survey) -> dict[str, str]:
    kept: dict[str, str] = {}
    for key, value in survey.mapping("metadata", "labels").items():
        path = ("metadata", "labels", key)
        if isinstance(value, str) and _is_name(key) and not key.startswith("certform-"):
            kept[key] = value
            survey.carried(path, f"label {key}")
        else:
            survey.left(
                path, "a label's key is lower-case letters, digits and hyphens, without a domain"
            )
    return kept


def _is_name(text: str) -> bool:
    try:
        TypeAdapter(Name).validate_python(text)
    except ValidationError:
        return False
    return True


def _say_issuer(survey: Survey, by: Issuing) -> None:
    path = ("spec", "issuerRef", "name")
    if by.name is None:
        survey.left(path, by.said)
    elif by.guessed:
        survey.changed(path, by.said)
    else:
        survey.carried(path, f"issuerRef {by.name} ({by.said})")
    survey.known("spec", "issuerRef", "kind")
    survey.known("spec", "issuerRef", "group")


def _names(survey: Survey, by: Issuing) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in NAME_FIELDS:
        word = _NAMES.get(field)
        values = survey.texts("spec", word) if word else ()
        if not word or not values:
            continue
        if field in by.capabilities.names:
            found[word] = values
            survey.carried(("spec", word), word)
        else:
            survey.left(("spec", word), f"{by.said} takes no {word}")
    return found


def _subject(survey: Survey, by: Issuing | None) -> dict[str, Any]:
    """Return common name and subject, as far as the issuer obeys them."""
    spec: dict[str, Any] = {}
    if common := survey.text("spec", "commonName"):
        spec["commonName"] = common
        survey.carried(("spec", "commonName"), "commonName")
    subject: dict[str, Any] = {
        name: values for name in _SUBJECT if (values := survey.texts("spec", "subject", name))
    }
    if serial := survey.text("spec", "subject", "serialNumber"):
        subject["serialNumber"] = serial
    obeyed = by is None or "subject" in by.capabilities.honours
    for name in subject:
        if obeyed:
            survey.carried(("spec", "subject", name), f"subject.{name}")
        else:
            survey.left(("spec", "subject", name), f"{by.said if by else ''} chooses it by itself")
    return {**spec, "subject": subject} if subject and obeyed else spec


def _life(survey: Survey, by: Issuing) -> dict[str, Any]:
    written = go_duration(survey.text("spec", "duration"))
    whole, spec = written or timedelta(days=90), dict[str, Any]()
    path = ("spec", "duration")
    if written is None and survey.text("spec", "duration"):
        survey.left(path, "is no duration as Go writes it: 90d by default")
    elif written is not None and "duration" in by.capabilities.honours:
        spec["duration"] = format_duration(written)
        survey.carried(path, f"duration {spec['duration']}")
    elif written is not None:
        survey.changed(path, f"left out: {by.said} chooses it by itself")
        whole = min(whole, timedelta(days=90))
    return spec | _renewal(survey, whole)


def _renewal(survey: Survey, whole: timedelta) -> dict[str, Any]:
    spec: dict[str, Any] = {}
    early, share = survey.text("spec", "renewBefore"), survey.text("spec", "renewBeforePercentage")
    before = go_duration(early)
    if early and before is not None and before < whole:
        spec["renewBefore"] = format_duration(before)
        survey.carried(("spec", "renewBefore"), f"renewBefore {spec['renewBefore']}")
    elif early:
        survey.left(("spec", "renewBefore"), "does not fit its life: by default, a third is left")
    if share and share.isdecimal() and 1 <= int(share[:4]) <= 99 and not spec:
        spec["renewBeforePercentage"] = f"{int(share)}%"
        survey.carried(("spec", "renewBeforePercentage"), f"renewBeforePercentage {share}%")
    elif share:
        survey.left(
            ("spec", "renewBeforePercentage"), "is no share from 1 to 99 beside renewBefore"
        )
    if survey.text("spec", "renewal", "policy") == "Disabled":
        said = "certform renews what has a document: delete it if it is to end"
        survey.left(("spec", "renewal", "policy"), said)
    survey.known("spec", "renewal", "policy")
    return spec


def _usages(survey: Survey, by: Issuing) -> tuple[str, ...]:
    written = survey.value("spec", "usages")
    obeyed, kept = "usages" in by.capabilities.honours, dict[str, None]()
    for index, word in enumerate(written if isinstance(written, tuple) else ()):
        path: tuple[Step, ...] = ("spec", "usages", index)
        if not obeyed or word in IMPLIED:
            survey.known(*path)
        elif isinstance(word, str) and word in USAGES:
            kept[USAGES[word]] = None
            survey.carried(path, f"usages: {USAGES[word]}")
        else:
            survey.left(path, "no such usage is issued")
    if written is not None and not obeyed:
        survey.changed(("spec", "usages"), f"left out: {by.said} chooses them by itself")
    elif not kept and obeyed:
        survey.changed(("spec", "usages"), "`server auth`, which cert-manager's default has not")
    return tuple(kept)


def _key(survey: Survey, by: Issuing) -> dict[str, Any]:
    written = survey.text("spec", "privateKey", "algorithm")
    kind = kind_of_key(survey)
    spec: dict[str, Any] = {}
    fits = kind is not None and (by.capabilities.keys is None or kind in by.capabilities.keys)
    if kind is not None and fits:
        size = {} if kind.algorithm is Algorithm.ED25519 else {"size": kind.size}
        spec = {"algorithm": str(kind.algorithm), **size}
    for field in ("algorithm", "size"):
        path = ("spec", "privateKey", field)
        if survey.value(*path) is not None and fits:
            survey.carried(path, f"privateKey {kind}")
        elif survey.value(*path) is not None:
            survey.left(path, f"no such key is asked for: ECDSA P-256 by default ({by.said})")
    if written is None and fits:
        said = "cert-manager's default, RSA, is written out: leave it out for ECDSA P-256"
        survey.changed((), said)
    return spec | _rotation(survey)


def _say_encoding(survey: Survey) -> None:
    """Say how a key is written here."""
    path = ("spec", "privateKey", "encoding")
    if survey.text(*path) == "PKCS8":
        survey.carried(path, "privkey.pem is PKCS #8")
    elif survey.value(*path) is not None:
        survey.left(path, "privkey.pem is PKCS #8: have what reads it read that")


def _rotation(survey: Survey) -> dict[str, Any]:
    path = ("spec", "privateKey", "rotationPolicy")
    policy = survey.text(*path)
    if policy == "Never":
        said = "rotationPolicy Never, and custody ledger: a new key, which is then kept; theirs stays there"
        survey.changed(path, said)
        return {"rotationPolicy": "Never", "custody": "ledger"}
    if policy == "Always":
        survey.carried(path, "rotationPolicy Always, as by default")
    elif policy:
        survey.left(path, "is neither Always nor Never: Always by default")
    return {}


def _remarks(manifest: Manifest, survey: Survey, by: Issuing) -> tuple[str, ...]:
    """Say what belongs into the entry of a target, which is to be chosen."""
    secret = survey.text("spec", "secretName") or ""
    told = [f"choose targets: cert-manager kept it in the Secret {secret}"]
    survey.left(("spec", "secretName"), "certform writes no Secret: choose `targets`")
    for index, form in enumerate(_formats(survey)):
        path: tuple[Step, ...] = ("spec", "additionalOutputFormats", index)
        if form == "CombinedPEM":
            said = "write `additionalOutputFormats: [CombinedPEM]` in the entry under targets"
            survey.changed(path, said)
            told.append(said)
        else:
            survey.left(
                path, "no DER file is written: `openssl pkcs8 -topk8 -outform der` makes one"
            )
    for form in ("jks", "pkcs12"):
        if survey.text("spec", "keystores", form, "create") == "true":
            file = f"config/{manifest.name}.sops.yaml"
            said = (
                f"write `keystores: {{{form}: {{create: true, passwordSecretRef: {{name: {file},"
                " key: password}}}` in the entry under targets, and the password with `sops edit`"
            )
            survey.left(("spec", "keystores", form), said)
            told.append(said)
        survey.known("spec", "keystores", form)
    return (*told, *((by.said,) if by.name is None else ()))


def _formats(survey: Survey) -> tuple[str, ...]:
    listed = survey.value("spec", "additionalOutputFormats")
    items = listed if isinstance(listed, tuple) else ()
    return tuple(str(item.get("type")) if isinstance(item, dict) else "" for item in items)
