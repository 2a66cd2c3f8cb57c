# ruff: noqa: E501  (a document of a table stands on one line)
"""What a sound repository resolves to."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from examining import desired, source

from reconciler.errors import InvalidInput
from reconciler.repository import Examination, load
from reconciler.state import DesiredInstall
from schemas.base import digest
from schemas.certificate import Algorithm, Usage


def certificate(name: str, spec: str) -> str:
    return f"kind: Certificate\nmetadata: {{name: {name}}}\nspec: {spec}\n"


def test_the_sound_repository_has_no_findings(examined: Callable[..., Examination]) -> None:
    examination = examined()
    assert examination.diagnostics == ()
    assert desired(examination).project == "example"
    assert desired(examination).revision is None
    assert list(desired(examination).authorities) == ["open", "root", "services"]
    assert "kind: Certificate" in examination.sources["web.yaml"]


def test_a_certificate_inherits_through_the_chain_of_profiles(
    examined: Callable[..., Examination],
) -> None:
    web = desired(examined()).certificates["web"]
    assert web.labels == {"env": "prod", "tier": "high", "team": "shop"}
    assert web.request.usages == (Usage.CLIENT_AUTH, Usage.SERVER_AUTH)
    assert str(web.request.key) == "RSA 3072"
    assert web.request.duration == 30 * 86400
    assert web.request.issuer == "services"
    assert web.request.issuer_generation == 1
    assert web.installs == (DesiredInstall("disk", "web"),)
    assert web.digest == digest(web.request.to_json())
    assert (web.source.file, web.source.line) == ("web.yaml", 1)


def test_maps_merge_lists_replace_and_no_value_takes_back(
    examined: Callable[..., Examination],
) -> None:
    spec = "{profileRef: service, dnsNames: [a.svc.internal], privateKey: {size: 2048}, targets: [spare], duration: }"
    one = desired(examined({"one.yaml": certificate("one", spec)})).certificates["one"]
    assert str(one.request.key) == "RSA 2048"
    assert [install.target for install in one.installs] == ["spare"]
    assert one.request.duration == 90 * 86400


def test_names_are_lower_case_sorted_and_unique(examined: Callable[..., Examination]) -> None:
    spec = """{issuerRef: open, dnsNames: [B.example, a.example., b.example], ipAddresses: ["2001:DB8::1", 10.0.0.1]}"""
    one = desired(examined({"one.yaml": certificate("one", spec)})).certificates["one"]
    assert one.request.dns_names == ("a.example", "b.example")
    assert one.request.ip_addresses == ("10.0.0.1", "2001:db8::1")


def test_the_order_of_names_does_not_change_the_digest(
    examined: Callable[..., Examination],
) -> None:
    found = desired(
        examined(
            {
                "a.yaml": certificate("a", "{issuerRef: open, dnsNames: [x.example, y.example]}"),
                "b.yaml": certificate("b", "{issuerRef: open, dnsNames: [y.example, X.example]}"),
            }
        )
    ).certificates
    assert found["a"].digest == found["b"].digest


@pytest.mark.parametrize(("algorithm", "size"), [("RSA", 2048), ("ECDSA", 256), ("Ed25519", 256)])
def test_every_algorithm_has_a_default_size(
    examined: Callable[..., Examination], algorithm: str, size: int
) -> None:
    spec = f"{{issuerRef: open, dnsNames: [a.example], privateKey: {{algorithm: {algorithm}}}}}"
    key = desired(examined({"a.yaml": certificate("a", spec)})).certificates["a"].request.key
    assert (key.algorithm, key.size) == (Algorithm(algorithm), size)


@pytest.mark.parametrize(
    ("fields", "days"),
    [
        ("", 30.0),
        (", duration: 10d", 5.0),
        (", duration: 11d", 11 / 3),
        (", duration: 30d, renewBefore: 12d", 12.0),
        (", duration: 30d, renewBeforePercentage: 10%", 3.0),
    ],
)
def test_renewal_is_at_one_third_or_half_or_as_said(
    examined: Callable[..., Examination], fields: str, days: float
) -> None:
    spec = f"{{issuerRef: open, dnsNames: [a.example]{fields}}}"
    leaf = desired(examined({"a.yaml": certificate("a", spec)})).certificates["a"]
    assert leaf.renew_before == timedelta(days=days)


def test_authorities_have_depth_path_length_names_and_lifetimes(
    examined: Callable[..., Examination],
) -> None:
    files = {
        "authorities/deep.yaml": (
            "kind: Authority\nmetadata: {name: deep}\n"
            "spec: {parentRef: open, commonName: Deep, generation: 3, duration: 30d}\n"
        )
    }
    cas = desired(examined(files)).authorities
    assert {name: ca.depth for name, ca in cas.items()} == {
        "root": 0,
        "services": 1,
        "open": 1,
        "deep": 2,
    }
    assert {name: ca.request.path_length for name, ca in cas.items()} == {
        "root": None,
        "services": 0,
        "open": 1,
        "deep": 0,
    }
    assert cas["deep"].request.common_name == "Deep G3"
    assert cas["deep"].request.issuer_generation == 1
    assert cas["root"].request.duration == 3650 * 86400
    assert cas["open"].request.duration == 1825 * 86400
    assert cas["root"].recipients == desired(examined(files)).keyring


def test_a_ca_that_signs_only_cas_publishes_seldom(examined: Callable[..., Examination]) -> None:
    cas = desired(examined()).authorities
    assert cas["root"].crl_duration == timedelta(days=180)
    assert cas["services"].crl_duration == timedelta(days=7)
    mixed = examined({"a.yaml": certificate("a", "{issuerRef: root, dnsNames: [a.example]}")})
    assert desired(mixed).authorities["root"].crl_duration == timedelta(days=7)


def test_an_offline_ca_does_so_before_anything_hangs_by_it(
    examined: Callable[..., Examination],
) -> None:
    text = "kind: Authority\nmetadata: {name: off}\nspec: {commonName: Off, privateKey: {custody: offline}}\n"
    cas = desired(examined({"authorities/off.yaml": text})).authorities
    assert cas["off"].crl_duration == timedelta(days=180)


def test_an_explicit_path_length_reserves_levels_above_it(
    examined: Callable[..., Examination],
) -> None:
    files = {
        "authorities/deep.yaml": (
            "kind: Authority\nmetadata: {name: deep}\n"
            "spec: {parentRef: open, commonName: Deep, pathLength: 2}\n"
        )
    }
    assert desired(examined(files)).authorities["open"].request.path_length == 3


def test_revocations_and_targets_are_resolved(examined: Callable[..., Examination]) -> None:
    text = (
        "kind: Revocation\nmetadata: {name: inc-1}\n"
        "spec: {certificates: [web], issuedBefore: 2026-11-23T02:41:00Z, reason: keyCompromise}\n"
        "---\nkind: Revocation\nmetadata: {name: inc-2}\nspec: {serials: [77e10, 00:4A]}\n"
    )
    made = desired(examined({"inc.yaml": text}))
    assert made.revocations[0].certificates == ("web",)
    assert made.revocations[1].serials == ("77e10", "4a")
    assert made.targets["disk"].digest == digest(made.targets["disk"].spec.to_json())


def test_load_raises_every_finding_at_once(write: Callable[[Mapping[str, str]], Path]) -> None:
    root = write(
        {
            "a.yaml": certificate("a", "{issuerRef: nowhere}"),
            "b.yaml": certificate("b", "{issuerRef: open, dnsName: [b.example]}"),
        }
    )
    with pytest.raises(InvalidInput) as raised:
        load(root)
    assert {source(found).file for found in raised.value.diagnostics} == {"a.yaml", "b.yaml"}


def test_a_mistake_in_a_profile_is_told_once_with_the_certificates_it_concerns(
    examined: Callable[..., Examination], write: Callable[[Mapping[str, str]], Path]
) -> None:
    text = (
        (write({}) / "config" / "all.yaml")
        .read_text()
        .replace("issuerRef: services", "issuerRef: open")
    )
    files = {f"{n}.yaml": certificate(n, "{profileRef: base, dnsNames: [a.b]}") for n in "abcdef"}
    files["config/all.yaml"] = text.replace("duration: 30d", "duration: 50y")
    (found,) = examined(files).diagnostics
    assert str(found.source) == "config/all.yaml:5"
    assert found.detail == "It concerns certificate a, b, c, d, e and 2 more."


def test_a_mistake_of_a_certificate_names_no_others(examined: Callable[..., Examination]) -> None:
    files = {"a.yaml": certificate("a", "{profileRef: base, duration: 50y, dnsNames: [a.b]}")}
    assert all(found.detail == "" for found in examined(files).diagnostics)


def test_a_mistake_that_the_profile_has_by_itself_concerns_all_and_is_told_once(
    examined: Callable[..., Examination], write: Callable[[Mapping[str, str]], Path]
) -> None:
    text = (write({}) / "config" / "all.yaml").read_text().replace("duration: 30d", "duration: 30")
    (found,) = examined({"config/all.yaml": text}).diagnostics
    assert found.detail == ""


@pytest.mark.parametrize("field", ["issuerRef", "profileRef"])
def test_a_reference_as_cert_manager_writes_it_gets_the_short_form(
    examined: Callable[..., Examination], field: str
) -> None:
    spec = f"{{issuerRef: open, dnsNames: [a.b], {field}: {{name: open, kind: Issuer}}}}"
    spec = spec.replace("issuerRef: open, ", "") if field == "issuerRef" else spec
    (found,) = examined({"a.yaml": certificate("a", spec)}).diagnostics
    assert found.summary == f"spec.{field} must be text, not a mapping"
    assert found.hint == f"write {field}: open"


SET = """\
kind: CertificateSet
metadata: {name: fleet, labels: {fleet: "yes"}}
spec:
  template:
    spec:
      profileRef: service
      dnsNames: ["{host}.svc.internal"]
      targets: [{targetRef: disk, objectName: "obj-{name}"}]
"""
LIST = (
    SET
    + """\
  items:
    - {name: a, host: one}
    - name: b
      host: two
"""
)


def test_a_set_makes_a_certificate_of_every_item_with_its_own_line(
    examined: Callable[..., Examination],
) -> None:
    leaves = desired(examined({"fleet/set.yaml": LIST})).certificates
    assert leaves["a"].request.dns_names == ("one.svc.internal",)
    assert leaves["b"].installs == (DesiredInstall("disk", "obj-b"),)
    assert leaves["b"].labels == {"env": "prod", "tier": "high", "fleet": "yes"}
    assert [leaves[name].source.line for name in "ab"] == [10, 11]


def test_a_set_reads_its_csv_with_the_line_of_each_row(
    examined: Callable[..., Examination],
) -> None:
    files = {
        "fleet/set.yaml": SET + "  csv: data/hosts.csv\n",
        "fleet/data/hosts.csv": 'name,host\na,one\n"b",two\n',
    }
    leaves = desired(examined(files)).certificates
    assert leaves["b"].request.dns_names == ("two.svc.internal",)
    assert str(leaves["b"].source) == "fleet/data/hosts.csv:3"


def test_braces_from_an_item_are_not_filled_again(examined: Callable[..., Examination]) -> None:
    text = LIST.replace("{name: a, host: one}", '{name: a, host: "{name}"}')
    (found,) = examined({"set.yaml": text}).diagnostics
    assert '"{name}.svc.internal" is not a DNS name' in found.summary
    assert source(found).line == 10
