"""An Issuer or ClusterIssuer of cert-manager: an Issuer of ours where there is such a kind."""

import base64
import re
from typing import Any

from reconciler.importing.certmanager_catalogue import Catalogue, Manifest
from reconciler.importing.certmanager_solvers import solvers
from reconciler.importing.outcome import Draft, account_key, sealed_file
from reconciler.importing.survey import Survey

_SIGN = re.compile(
    r"/?(?P<mount>[A-Za-z0-9_./-]+?)(/issuer/(?P<issuer>[^/]+))?/sign/(?P<role>[^/]+)/?"
)
_LOGINS = ("tokenSecretRef", "appRole", "kubernetes")
_KINDS = ("acme", "vault", "ca", "selfSigned", "venafi")


def issuer(
    manifest: Manifest, survey: Survey, catalogue: Catalogue, files: dict[str, bytes]
) -> Draft | None:
    """Return the document that is made of one, None where none is; a CA's certificates go into `files`."""
    name, spec, remarks = catalogue.name(manifest), dict[str, Any](), list[str]()
    survey.known("metadata", "namespace")
    for key in survey.mapping("metadata", "labels"):
        survey.known("metadata", "labels", key)
    survey.known("metadata", "annotations")
    if survey.value("spec", "acme") is not None:
        spec["acme"] = _acme(survey, name, files, remarks)
    elif survey.value("spec", "vault") is not None:
        spec["vault"] = _vault(survey, name, files)
    else:
        _say_other(manifest, survey, catalogue)
        return None
    (survey.carried if name == manifest.name else survey.changed)(
        ("metadata", "name"), f"issuer/{name}"
    )
    return Draft("Issuer", name, spec, manifest.words, tuple(remarks))


def _say_other(manifest: Manifest, survey: Survey, catalogue: Catalogue) -> None:
    if survey.value("spec", "ca") is not None:
        authority = catalogue.authority(manifest)
        said = (
            f"what it signs names authority/{authority}"
            if authority
            else "write an Authority for this CA, with `existing` to go on with it (docs/existing-ca.md)"
        )
        (survey.changed if authority else survey.left)(("spec", "ca", "secretName"), said)
    elif survey.value("spec", "selfSigned") is not None:
        survey.changed(
            ("spec", "selfSigned"), "a CA that it signs is a root: an Authority without parentRef"
        )
    elif not any(survey.value("spec", kind) is not None for kind in _KINDS):
        survey.left((), "it is of no kind that is known here")
    survey.known("metadata", "name")


def _acme(survey: Survey, name: str, files: dict[str, bytes], remarks: list[str]) -> dict[str, Any]:
    here, spec = ("spec", "acme"), dict[str, Any]()
    for field in ("server", "email", "profile", "preferredChain", "renewalInformationSource"):
        if value := survey.text(*here, field):
            spec[field] = value
            survey.carried((*here, field), field)
    spec["privateKeySecretRef"] = account_key(name)
    if survey.value(*here, "privateKeySecretRef") is not None:
        secret = survey.text(*here, "privateKeySecretRef", "name") or ""
        said = (
            f"`certform issuer key {name}` makes another account; to go on with this one, pipe the key in"
            f" the Secret {secret} into `certform issuer key {name} --stdin`"
        )
        survey.changed((*here, "privateKeySecretRef"), said)
    remarks.append(f"certform issuer key {name}")
    if binding := survey.text(*here, "externalAccountBinding", "keyID"):
        reference = {"name": sealed_file(f"{name}-binding"), "key": "hmacKey"}
        spec["externalAccountBinding"] = {"keyID": binding, "keySecretRef": reference}
        survey.carried((*here, "externalAccountBinding", "keyID"), "externalAccountBinding.keyID")
        said = f"`certform issuer secrets {name}` asks for hmacKey ({reference['name']})"
        survey.left((*here, "externalAccountBinding", "keySecretRef"), said)
        remarks.append(said)
    spec |= _bundle(survey, here, name, files)
    spec["solvers"] = solvers(survey, remarks)
    return spec


def _bundle(
    survey: Survey, here: tuple[str, ...], name: str, files: dict[str, bytes]
) -> dict[str, str]:
    """Return the field for a CA's certificates, which become a file beside the Issuer."""
    written = survey.text(*here, "caBundle")
    if written is None:
        return {}
    try:
        content = base64.b64decode(written, validate=True)
    except ValueError:
        content = b""
    if b"-----BEGIN CERTIFICATE-----" not in content:
        survey.left(
            (*here, "caBundle"), "holds no certificate in PEM: name a file of the repository"
        )
        return {}
    path = f"config/{name}-ca.pem"
    files[path] = content
    survey.changed((*here, "caBundle"), f"caBundle {path}, a file of its own")
    return {"caBundle": path}


def _vault(survey: Survey, name: str, files: dict[str, bytes]) -> dict[str, Any]:
    here, spec = ("spec", "vault"), dict[str, Any]()
    for field in ("server", "namespace"):
        if value := survey.text(*here, field):
            spec[field] = value
            survey.carried((*here, field), field)
    path = survey.text(*here, "path") or ""
    if found := _SIGN.fullmatch(path):
        spec |= {"path": found["mount"], "role": found["role"]}
        spec |= {"issuerName": found["issuer"]} if found["issuer"] else {}
        survey.changed((*here, "path"), f"path {found['mount']}, role {found['role']}")
    else:
        survey.left((*here, "path"), "is not MOUNT/sign/ROLE: certform asks a role to sign")
    spec |= _bundle(survey, here, name, files)
    if auth := _auth(survey, name):
        spec["auth"] = auth
    for kind in survey.mapping(*here, "auth"):
        if kind not in auth and kind in _LOGINS:
            survey.left((*here, "auth", kind), "there is one way to log in, and this is not it")
    return spec


def _auth(survey: Survey, name: str) -> dict[str, Any]:
    here, file = ("spec", "vault", "auth"), sealed_file(f"{name}-vault")
    if survey.value(*here, "tokenSecretRef") is not None:
        survey.left(
            (*here, "tokenSecretRef"), f"`certform issuer secrets {name}` asks for token ({file})"
        )
        return {"tokenSecretRef": {"name": file, "key": "token"}}
    if role := survey.text(*here, "appRole", "roleId"):
        survey.carried((*here, "appRole", "roleId"), "auth.appRole.roleId")
        said = f"`certform issuer secrets {name}` asks for secretId ({file})"
        survey.left((*here, "appRole", "secretRef"), said)
        reference = {"name": file, "key": "secretId"}
        return {
            "appRole": {**_mount(survey, "appRole", "path"), "roleId": role, "secretRef": reference}
        }
    if role := survey.text(*here, "kubernetes", "role"):
        survey.carried((*here, "kubernetes", "role"), "auth.kubernetes.role")
        for field in ("secretRef", "serviceAccountRef"):
            if survey.value(*here, "kubernetes", field) is not None:
                said = "the token of the service account that certform's pod runs as is shown"
                survey.changed((*here, "kubernetes", field), said)
        return {"kubernetes": {**_mount(survey, "kubernetes", "mountPath"), "role": role}}
    survey.left((), "no way to log in was carried over: the environment's VAULT_TOKEN is used")
    return {}


def _mount(survey: Survey, kind: str, field: str) -> dict[str, str]:
    path = ("spec", "vault", "auth", kind, field)
    written = survey.text(*path)
    if written is None:
        return {}
    mount = written.strip("/").removeprefix("v1/").removeprefix("auth/")
    survey.carried(path, f"auth.{kind}.path {mount}")
    return {"path": mount}
