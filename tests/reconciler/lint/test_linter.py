"""The linter: what would be signed is built as it would be, judged, and blocked where it is unsound."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID
from fleet import Fleet
from fleet_documents import HERE, Ca, Leaf
from fleet_sights import named, reasons, shown
from key_kinds import KINDS, P256

from providers.x509 import to_der
from reconciler.apply import apply
from reconciler.diagnostics import Diagnostic
from reconciler.diff import World, diff
from reconciler.limits import Judgement, Limits
from reconciler.lint import Linter
from reconciler.lint.findings import Finding, Severity
from reconciler.lint.issues import Issue, issues
from reconciler.lint.shapes import is_odd, shape
from reconciler.lint.specimens import Workshop
from reconciler.planning import make_plan, pending
from schemas.certificate import Usage
from schemas.plan import Action, Plan, Reason, Source
from schemas.policy import Baseline
from schemas.request import KeyType, LeafRequest

TLS = Limits(baselines=(Judgement(Baseline.CABF_TLS, "public", HERE),))
CAS = {"root": Ca(key=P256)}
PUBLIC = Leaf(names=("www.example.com",), key=P256, limits=TLS)


def linted(world: World, linter: Linter | None = None) -> Plan:
    return make_plan(world, lint=linter or Linter())


def wanted(fleet: Fleet) -> tuple[Workshop, Mapping[str, Issue]]:
    world = fleet.world()
    found = {issue.address: issue for issue in issues(world, diff(world))}
    cas = {(i.name, 1): i for i in found.values() if i.kind == "Authority"}
    return Workshop(world, cas), found


UNSOUND = {
    "an Ed25519 key": ({"key": KINDS[-1]}, "prohibited_subject_public_key_algorithm_encoding"),
    "an underscore": ({"names": ("a_b.example.com",)}, "invalid_dnsname_syntax"),
    "an internal name": ({"names": ("a.svc.internal",)}, "internal_domain_name"),
    "a reverse zone": ({"names": ("1.2.0.192.in-addr.arpa",)}, "ip_reverse_zone"),
    "no such xn--": ({"names": ("xn--zzzz99.example.com",)}, "invalid_plabel_encoding"),
    "no onion": ({"names": ("abc.onion",)}, "invalid_tor_v3_domain_name"),
    "too long a life": ({"days": 399}, "validity_period_exceeds"),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_what_the_requirements_forbid_is_blocked_and_nothing_is_installed(case: str) -> None:
    fields, code = UNSOUND[case]
    fleet = Fleet(CAS, {"web": replace(PUBLIC, **fields), "sound": PUBLIC})  # type: ignore[arg-type]
    plan = linted(fleet.wait(365).world())  # since 2026-03-15 there is one rule more
    step = named(plan, Action.BLOCKED, "certificate/web")
    assert step.reason is Reason.LINT
    assert code in step.message
    assert "cabf-tls" in step.message
    assert "certificate/web@a" not in {c.address for c in plan.changes}
    assert Action.ISSUE in reasons(plan, "certificate/sound")


def test_outside_a_baseline_a_private_pki_may_do_what_it_likes() -> None:
    names = ("*.svc.internal", "a_b.svc.internal", "localhost")
    fleet = Fleet(leaves={"web": Leaf(names=names, days=2000)})
    linter = Linter()
    plan = linted(fleet.world(), linter)
    assert reasons(plan, "certificate/web") == {Action.ISSUE: Reason.NOT_FOUND}
    assert linter.remarks == ()


@pytest.mark.parametrize("kind", KINDS[:-1], ids=str)
def test_what_meets_the_baseline_is_issued_whatever_the_key(kind: KeyType) -> None:
    leaf = replace(PUBLIC, key=kind, names=("*.example.com", "example.com"), days=47)
    linter = Linter()
    assert shown(linted(Fleet(CAS, {"web": leaf}).world(), linter)) == shown(
        make_plan(Fleet(CAS, {"web": leaf}).world())
    )
    assert linter.remarks == ()


def test_a_specimen_is_what_is_signed_but_for_serial_key_and_signature() -> None:
    fleet = Fleet(
        cas={"root": Ca(), "mid": Ca(parent="root", permits=("example.com",))},
        leaves={"web": Leaf(issuer="mid", names=("a.example.com", "b.example.com"))},
    )
    workshop, found = wanted(fleet)
    made = {address: workshop.make(issue).der for address, issue in found.items()}
    fleet.converge()
    state = fleet.journal.state
    signed = {f"authority/{n}": r.issuances[-1] for n, r in state.authorities.items()}
    signed["certificate/web"] = fleet.current("web")
    assert made.keys() == signed.keys()
    for address, der in made.items():
        real = x509.load_der_x509_certificate(to_der(str(signed[address].certificate).encode()))
        assert described(x509.load_der_x509_certificate(der)) == described(real)


def described(certificate: x509.Certificate) -> object:
    """All that a certificate says, without its serial, key, and what is made of keys."""
    keys = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
    said = [
        (e.oid, e.critical, None if isinstance(e.value, keys) else e.value)
        for e in certificate.extensions
    ]
    dates = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    algorithm = certificate.signature_algorithm_oid
    return certificate.subject, certificate.issuer, dates, algorithm, said


def test_the_chain_as_it_was_issued_is_what_counts() -> None:
    """The documents ask for more than the CA was issued for: only its certificate tells."""
    cas = {"root": Ca(), "mid": Ca(parent="root", days=20)}
    fleet = Fleet(cas=cas, leaves={"web": Leaf(issuer="mid", days=10, renew_before=3)}).converge()
    (mid,) = fleet.journal.state.authorities["mid"].issuances
    with_usage = _with_usage(fleet, mid.certificate or "")
    record = fleet.journal.state.authorities["mid"]
    changed = record.model_copy(
        update={"issuances": (mid.model_copy(update={"certificate": with_usage}),)}
    )
    state = fleet.journal.state
    fleet.journal.state = replace(state, authorities={**state.authorities, "mid": changed})
    fleet.replace = frozenset({"certificate/web"})
    plan = linted(fleet.world())
    step = named(plan, Action.BLOCKED, "certificate/web")
    assert step.reason is Reason.LINT
    assert "issues nothing for server auth" in step.message


def _with_usage(fleet: Fleet, pem: str) -> str:
    """The CA's certificate again, signed by its parent, for client authentication alone."""
    old = x509.load_pem_x509_certificate(pem.encode())
    builder = x509.CertificateBuilder(
        old.issuer,
        old.subject,
        old.public_key(),
        old.serial_number,
        old.not_valid_before_utc.replace(tzinfo=None),
        old.not_valid_after_utc.replace(tzinfo=None),
        list(old.extensions),
    )
    narrow = builder.add_extension(
        x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
    )
    signer = fleet.session().signer("root", 1)
    key = signer.private_key()  # type: ignore[attr-defined]
    return narrow.sign(key, None).public_bytes(Encoding.PEM).decode()


def test_a_finding_is_at_the_line_of_the_field_that_it_is_about() -> None:
    def origin(kind: str, name: str, field: str) -> Source | None:
        return Source(file=f"{kind}-{name}.yaml", line=len(field))

    leaf = replace(PUBLIC, names=("a_b.example.com",))
    plan = linted(Fleet(CAS, {"web": leaf}).world(), Linter(lambda: origin))
    step = named(plan, Action.BLOCKED, "certificate/web")
    assert str(step.source) == f"Certificate-web.yaml:{len('dnsNames')}"


def test_a_warning_is_told_once_however_many_it_concerns() -> None:
    leaves = {f"w{n}": replace(PUBLIC, days=200, renew_before=60) for n in range(8)}
    fleet = Fleet(CAS, leaves)
    fleet.wait(365)
    linter = Linter()
    plan = linted(fleet.world(), linter)
    assert all(c.action is not Action.BLOCKED for c in plan.changes)
    (remark,) = linter.remarks
    assert "exceeds_199_days" in remark.summary
    assert "and 3 more" in remark.detail


@pytest.mark.parametrize("names", [("a_b.example.com",), ("www.example.com",)])
def test_what_a_policy_accepts_is_neither_blocked_nor_told(names: tuple[str, ...]) -> None:
    codes = {
        "cabf.serverauth.invalid_dnsname_syntax",
        "cabf.serverauth.certificate_validity_period_exceeds_199_days",
    }
    leaf = replace(PUBLIC, names=names, days=200, renew_before=60)
    fleet = Fleet(CAS, {"web": replace(leaf, limits=replace(TLS, accepted=frozenset(codes)))})
    fleet.wait(365)
    linter = Linter()
    assert Action.ISSUE in reasons(linted(fleet.world(), linter), "certificate/web")
    assert linter.remarks == ()


def issue(name: str = "web", **fields: object) -> Issue:
    request = LeafRequest(
        **{  # type: ignore[arg-type]
            "issuer": "root",
            "issuer_generation": 1,
            "dns_names": ("www.example.com",),
            "usages": (Usage.SERVER_AUTH,),
            "key": P256,
            "duration": 86400,
            **fields,
        }
    )
    return Issue(f"certificate/{name}", name, request, HERE)


def test_what_a_linter_cannot_tell_apart_is_one_shape() -> None:
    assert shape(issue()) == shape(issue("other", dns_names=("other.example.com",)))
    for fields in (
        {"dns_names": ("*.example.com",)},
        {"dns_names": ("www.example.corp",)},
        {"ip_addresses": ("192.0.2.1",)},
        {"usages": (Usage.CLIENT_AUTH,)},
        {"key": KINDS[0]},
        {"duration": 86401},
        {"common_name": "www.example.com"},
        {"common_name": "else"},
    ):
        assert shape(issue()) != shape(issue(**fields))


UNLIKE = [
    ({"dns_names": ("www.example.com",)}, {"dns_names": ("ab--cd.example.com",)}),
    ({"ip_addresses": ("::ffff:10.0.0.1",)}, {"ip_addresses": ("fc00::1",)}),
    ({"email_addresses": ("a@b..example.com",)}, {"email_addresses": ("a@b.corp",)}),
    ({"uris": ("https://a.example.com/x",)}, {"uris": ("https://a..b/x",)}),
    ({"uris": ("https://a.example.com/",)}, {"uris": ("https://a.example.corp/",)}),
]


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_what_a_linter_judges_in_another_way_is_no_shape_of_it(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    workshop, _ = wanted(Fleet(CAS).converge())
    both = [replace(issue(**fields), judged=TLS.baselines) for fields in (one, other)]
    first, second = (Linter()._judge(workshop, each) for each in both)
    assert first != second
    assert shape(both[0]) != shape(both[1])


@pytest.mark.parametrize(
    "name",
    [
        *("xn--bcher-kva.example", "a_b.example.com", "localhost", "1.in-addr.arpa", "x.onion"),
        *("-a.de", "ab--cd.example.com", "a.ab--.com"),
    ],
)
def test_an_odd_name_is_looked_at_by_itself(name: str) -> None:
    odd = issue(dns_names=(name,))
    assert isinstance(odd.request, LeafRequest)
    assert is_odd(odd.request)
    assert shape(odd) != shape(issue("other", dns_names=(name,)))


def test_only_one_of_a_shape_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    real = Workshop.make

    def make(self: Workshop, issue: Issue) -> object:
        made.append(issue.address)
        return real(self, issue)

    monkeypatch.setattr(Workshop, "make", make)
    leaves = {f"w{n}": Leaf(names=(f"w{n}.example.com",)) for n in range(50)}
    plan = linted(Fleet(leaves={**leaves, "odd": Leaf(names=("a_b.example.com",))}).world())
    assert sum(c.action is Action.ISSUE for c in plan.changes) == 52
    assert sorted(set(made)) == ["authority/root", "certificate/odd", "certificate/w0"]


NOTHING = """
import sys
sys.path[:0] = {paths!r}
from fleet import Fleet, Leaf
from reconciler.lint import Linter
from reconciler.planning import make_plan
fleet = Fleet(leaves={{"web": Leaf()}}).converge()
assert make_plan(fleet.world(), lint=Linter()).changes == ()
print("pkilint" in sys.modules, "reconciler.lint.specimens" in sys.modules)
fleet.wait(25)
assert make_plan(fleet.world(), lint=Linter()).changes != ()
print("pkilint" in sys.modules)
"""


def test_a_plan_of_nothing_loads_no_linter() -> None:
    code = NOTHING.format(paths=[path for path in sys.path if path])
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["False", "False", "True"]


def test_apply_does_not_sign_what_the_linter_refuses() -> None:
    fleet = Fleet(CAS, {"web": replace(PUBLIC, names=("a_b.example.com",)), "sound": PUBLIC})
    session = fleet.session()
    list(apply(session, pending(linted(session.world).changes)))
    assert set(fleet.journal.state.certificates) == {"sound"}


def test_remarks_are_warnings() -> None:
    linter = Linter()
    linted(Fleet(CAS, {"web": PUBLIC}).world(), linter)
    assert all(isinstance(each, Diagnostic) for each in linter.remarks)


def test_a_leaf_goes_on_below_the_generation_before_where_the_next_is_unsound() -> None:
    cas = {"root": Ca(key=P256), "tls": Ca(key=P256, parent="root", days=1000)}
    fleet = Fleet(cas, {"web": replace(PUBLIC, issuer="tls", days=40)}).converge()
    fleet.cas["tls"] = replace(cas["tls"], generation=2, permits=("example.com", "b_d.example"))
    fleet.wait(35)
    world = fleet.world()
    refusing = Linter()
    judged = refusing._judge

    def judge(workshop: Workshop, issue: Issue) -> object:
        found = judged(workshop, issue)
        if issue.address != "authority/tls":
            return found
        bad = Finding("RFC 5280", Severity.ERROR, "some.code", "", "certificate")
        return replace(found, errors=(bad,))

    refusing._judge = judge  # type: ignore[method-assign,assignment]
    plan = linted(world, refusing)
    assert named(plan, Action.BLOCKED, "authority/tls").reason is Reason.LINT
    step = named(plan, Action.ISSUE, "certificate/web")
    assert step.after is not None
    assert step.after["issuerGeneration"] == 1
