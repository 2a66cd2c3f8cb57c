# ruff: noqa: E501  (a document of a table stands on one line)
"""CAs below a CA of others, and CAs whose key Vault keeps, as documents speak of them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from examining import desired

from reconciler.diff.connections import connection_changes
from reconciler.repository import Examination
from reconciler.state import Desired

SERVER = "https://vault.example.com:8200"
ISSUER = f"kind: Issuer\nmetadata: {{name: company}}\nspec: {{vault: {{server: '{SERVER}', role: web}}}}\n"
ARN = "arn:aws:acm-pca:eu-west-1:111122223333:certificate-authority/6b4b5c1e-9c5d-4f3a-8a7e-2f1d0c9b8a7f"
AWS = f"kind: Issuer\nmetadata: {{name: private}}\nspec: {{aws-private-ca: {{arn: '{ARN}'}}}}\n"
MOUNT = f"custody: {{vault: {{server: '{SERVER}', path: sub}}}}"
SEALED = "token: ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]\nkey: ENC[AES256_GCM,data:AAAA,iv:AAAA,tag:AAAA,type:str]\nsops: {}\n"


def ca(name: str, spec: str) -> str:
    return f"kind: Authority\nmetadata: {{name: {name}}}\nspec: {{commonName: Example {name}, {spec}}}\n"


def leaf(spec: str) -> str:
    return f"kind: Certificate\nmetadata: {{name: one}}\nspec: {{dnsNames: [a.example.com], targets: [disk], {spec}}}\n"


def files(*cas: str, **more: str) -> dict[str, str]:
    named = {"config/issuers.yaml": f"{ISSUER}---\n{AWS}"}
    return {**named, "authorities/more.yaml": "---\n".join(cas), **more}


def test_a_ca_may_be_below_one_of_others(examined: Callable[..., Examination]) -> None:
    found = desired(
        examined(files(ca("team", "parentRef: company"), ca("below", "parentRef: team")))
    ).authorities
    team, below = found["team"].request, found["below"].request
    assert (team.issuer, team.issuer_generation) == ("company", 0)
    assert team.issuer_id == f"{SERVER}/pki"
    assert team.path_length == 1
    assert team.duration == timedelta(days=1825).total_seconds()
    assert (below.issuer, below.issuer_generation, below.issuer_id) == ("team", 1, None)
    assert [found[name].depth for name in ("root", "team", "below")] == [0, 1, 2]


def test_what_was_asked_for_before_there_were_such_cas_is_said_as_it_was(
    examined: Callable[..., Examination],
) -> None:
    said = desired(examined()).authorities["services"].request.to_json()
    assert "issuerId" not in said


@pytest.mark.parametrize(
    ("cas", "path", "said"),
    [
        (
            (ca("team", "parentRef: private"),),
            "spec.parentRef",
            "the issuer private (aws-private-ca) signs no CAs",
        ),
        (
            (ca("team", "parentRef: company, privateKey: {algorithm: Ed25519}"),),
            "spec.privateKey.algorithm",
            "the issuer company (vault) takes no key of type Ed25519",
        ),
        (
            (ca("team", "parentRef: company, crossSign: true"),),
            "spec.crossSign",
            "only a root is cross-signed by the generation before it",
        ),
        (
            (ca("team", "parentRef: company, privateKey: {custody: offline}"),),
            "spec.privateKey.custody",
            "team is offline, and its parent company is not: company would never see its key",
        ),
        (
            (ca("team", "parentRef: company, pathLength: 0"), ca("below", "parentRef: team")),
            "spec.pathLength",
            "pathLength 0 is too small: 1 needed below",
        ),
        (
            (ca("team", "parentRef: compani"),),
            "spec.parentRef",
            'there is no Authority called "compani"',
        ),
        (
            (ca("v", f"privateKey: {{{MOUNT}}}"),),
            "spec.privateKey.custody",
            "Vault's own root is no CA of ours",
        ),
        (
            (ca("v", f"parentRef: company, privateKey: {{{MOUNT}}}"),),
            "spec.parentRef",
            "company is no CA of ours, and Vault's CAs sign each other without certform",
        ),
        (
            (ca("v", f"parentRef: root, privateKey: {{{MOUNT}}}"), ca("w", "parentRef: v")),
            "spec.parentRef",
            "certform signs nothing with the key of v: Vault keeps it",
        ),
        (
            (ca("v", f"parentRef: root, standby: true, privateKey: {{{MOUNT}}}"),),
            "spec.standby",
            "Vault keeps none ready",
        ),
        (
            (ca("v", f"parentRef: root, privateKey: {{algorithm: Ed25519, {MOUNT}}}"),),
            "spec.privateKey.algorithm",
            "Vault makes no Ed25519 key",
        ),
        (
            (
                ca("v", f"parentRef: root, privateKey: {{{MOUNT}}}"),
                ca("w", f"parentRef: root, privateKey: {{{MOUNT}}}"),
            ),
            "spec.privateKey.custody",
            "the mount of w is that of v, too",
        ),
        (
            (
                ca("v", f"parentRef: root, privateKey: {{{MOUNT.replace('sub', 'ns/sub')}}}"),
                ca(
                    "w",
                    f"parentRef: root, privateKey: {{{MOUNT.replace('sub', 'sub, namespace: ns/')}}}",
                ),
            ),
            "spec.privateKey.custody",
            "the mount of w is that of v, too",
        ),
        (
            (ca("v", "parentRef: root, privateKey: {custody: {vault: {path: sub}}}"),),
            "spec.privateKey.custody",
            "server",
        ),
    ],
)
def test_what_cannot_be_is_told_where_it_is_written(
    examined: Callable[..., Examination], cas: tuple[str, ...], path: str, said: str
) -> None:
    found = examined(files(*cas))
    assert found.desired is None
    told = [d for d in found.diagnostics if said in d.summary]
    assert told, found.diagnostics
    assert told[0].source is not None
    assert told[0].source.file == "authorities/more.yaml"


def test_a_leaf_of_a_ca_in_vault_is_asked_of_an_issuer(
    examined: Callable[..., Examination],
) -> None:
    cas = files(ca("v", f"parentRef: root, privateKey: {{{MOUNT}}}"))
    found = examined({**cas, "one.yaml": leaf("issuerRef: v")})
    (told,) = found.diagnostics
    assert told.summary == "certform signs nothing with the key of v: Vault keeps it"
    assert told.hint is not None
    assert "write an Issuer of kind vault" in told.hint
    assert told.source is not None
    assert told.source.file == "one.yaml"


def test_a_bundle_brings_the_root_of_others_as_a_file(
    examined: Callable[..., Examination],
) -> None:
    bundle = "kind: Bundle\nmetadata: {name: corp}\nspec: {authorities: [team], targets: [disk]}\n"
    cas = files(ca("team", "parentRef: company"))
    (told,) = examined({**cas, "config/bundle.yaml": bundle}).diagnostics
    assert (
        told.hint == "its root is that of company: put that certificate in a file, named in files"
    )


def test_policies_speak_of_issuers_above_cas_too(examined: Callable[..., Examination]) -> None:
    policy = "kind: Policy\nmetadata: {name: p}\nspec: {selector: {kind: Authority, paths: ['**']}, allowed: {issuers: [root, services]}}\n"
    cas = files(ca("team", "parentRef: company"))
    found = examined({**cas, "config/policy.yaml": policy})
    assert any("the parent company is not allowed" in d.summary for d in found.diagnostics)


AUTH = "auth: {tokenSecretRef: {name: vault.sops.yaml, key: token}}"


def test_who_asks_vault_for_a_key_is_part_of_the_trust_boundary(
    examined: Callable[..., Examination],
) -> None:
    def configured(mount: str) -> Desired:
        text = ca("v", f"parentRef: root, privateKey: {{custody: {{vault: {{{mount}}}}}}}")
        return desired(examined(files(text, **{"vault.sops.yaml": SEALED})))

    before = configured(f"server: '{SERVER}'")
    after = configured(f"server: 'https://evil.example.net', caBundle: vault.sops.yaml, {AUTH}")
    changes = connection_changes(after, before)
    (step,) = [each for each in changes if each.address == "custody/v"]
    paths = {field.path for field in step.fields}
    assert {"vault.server", "vault.caBundle", "vault.auth"} <= paths


def test_another_bundle_under_the_same_name_is_another_server(
    examined: Callable[..., Examination],
) -> None:
    def configured(bundle: str) -> Desired:
        connection = f"server: '{SERVER}', caBundle: ca.pem"
        text = ca("v", f"parentRef: root, privateKey: {{custody: {{vault: {{{connection}}}}}}}")
        said = (
            f"kind: Issuer\nmetadata: {{name: web}}\nspec: {{vault: {{{connection}, role: web}}}}\n"
        )
        return desired(examined(files(text, **{"ca.pem": bundle, "config/web.yaml": said})))

    before, after = configured("one"), configured("two")
    assert not list(connection_changes(before, configured("one")))
    told = {each.address: each.message for each in connection_changes(after, before)}
    assert told == dict.fromkeys(("issuer/web", "custody/v"), "vault.caBundle.sha256 changed")


def test_its_secrets_are_read_with_the_document(examined: Callable[..., Examination]) -> None:
    text = ca(
        "v", f"parentRef: root, privateKey: {{custody: {{vault: {{server: '{SERVER}', {AUTH}}}}}}}"
    )
    found = desired(examined(files(text, **{"vault.sops.yaml": SEALED})))
    assert found.authorities["v"].files == {"vault.sops.yaml": SEALED.encode()}
    told = examined(files(text, **{"vault.sops.yaml": "token: clear\nsops: {}\n"})).diagnostics
    assert "holds no secret under token that sops encrypted" in told[0].summary
