"""What a Revocation may say, which Authorities it moves on, and the terms that a CRL may have."""

from collections.abc import Callable

import pytest

from reconciler.diagnostics import Severity
from reconciler.repository import Examination

Examined = Callable[..., Examination]


def document(spec: str, name: str = "inc") -> dict[str, str]:
    return {"revocations/r.yaml": f"kind: Revocation\nmetadata: {{name: {name}}}\nspec: {spec}\n"}


def told(found: Examination) -> list[tuple[str, str, str]]:
    return [
        (str(d.severity), str(d.source), d.summary)
        for d in found.diagnostics
        if "revo" in d.summary or "generation" in d.summary or d.severity is Severity.ERROR
    ]


def test_a_revoked_generation_moves_its_authority_on(examined: Examined) -> None:
    found = examined(document("{authorityRef: services, generation: 1, reason: keyCompromise}"))
    assert found.desired is not None
    assert found.desired.authorities["services"].request.generation == 2
    assert found.desired.certificates["web"].request.issuer_generation == 2
    words = "authority/services goes on with generation 2: write generation: 2"
    assert told(found) == [(str(Severity.WARNING), "authorities/cas.yaml:7", words)]


def test_an_authority_that_says_so_itself_is_not_told(examined: Examined) -> None:
    files = document("{authorityRef: root, generation: 1, reason: superseded}")
    files["authorities/other.yaml"] = (
        "kind: Authority\nmetadata: {name: other}\nspec: {commonName: Other, generation: 2}\n"
    )
    files["revocations/r.yaml"] = files["revocations/r.yaml"].replace("root", "other")
    found = examined(files)
    assert told(found) == []
    assert found.desired is not None
    assert found.desired.revocations[0].generation == 1


REFUSED = {
    "{authorityRef: service, generation: 1, reason: superseded}": (
        'there is no Authority called "service"',
        "did you mean services?",
    ),
    "{certificates: [web], issuedBefore: 2026-01-01T00:00:00Z, reason: cACompromise}": (
        "cACompromise is said of the certificate of a CA alone",
        "keyCompromise",
    ),
    "{authorityRef: services, reason: superseded}": ("authorityRef` and `generation` together", ""),
    "{authorityRef: services, generation: 1, immediate: true, reason: superseded}": (
        "`immediate` is for keyCompromise and cACompromise alone",
        "",
    ),
    "{authorityRef: services, generation: 0, reason: superseded}": ("generation", ""),
    "{serials: ['77'], reason: certificateHold}": ("reason", ""),
    "{serials: ['77'], reason: removeFromCRL}": ("reason", ""),
}


@pytest.mark.parametrize("spec", REFUSED)
def test_what_cannot_be_meant_is_an_error_at_its_line(examined: Examined, spec: str) -> None:
    found = examined(document(spec))
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    summary, hint = REFUSED[spec]
    assert [str(d.source) for d in errors] == ["revocations/r.yaml:3"]
    assert summary in errors[0].summary
    assert hint in errors[0].hint


def test_a_generation_that_is_not_there_yet_is_a_warning(examined: Examined) -> None:
    found = examined(document("{authorityRef: services, generation: 4, reason: superseded}"))
    words = "authority/services is to have no generation 4: its newest is 1"
    assert told(found) == [(str(Severity.WARNING), "revocations/r.yaml:3", words)]


def authority(crl: str) -> dict[str, str]:
    text = f"kind: Authority\nmetadata: {{name: new}}\nspec:\n  commonName: New\n  crl: {crl}\n"
    return {"authorities/new.yaml": text}


@pytest.mark.parametrize(
    "crl",
    ["{refreshBefore: 7d}", "{duration: 2d, refreshBefore: 3d}", "{shards: 0}", "{shards: 257}"],
)
def test_terms_that_cannot_be_kept_are_an_error_at_their_line(examined: Examined, crl: str) -> None:
    files = authority(crl)
    files["web2.yaml"] = (
        "kind: Certificate\nmetadata: {name: w2}\nspec: {issuerRef: new, dnsNames: [a.example]}\n"
    )
    errors = [d for d in examined(files).diagnostics if d.severity is Severity.ERROR]
    assert [str(d.source) for d in errors] == ["authorities/new.yaml:5"]


def test_terms_that_can_be_kept_are_kept(examined: Examined) -> None:
    found = examined(authority("{duration: 4d, refreshBefore: 3d, shards: 8}"))
    assert found.desired is not None
    new = found.desired.authorities["new"]
    assert (new.crl_duration.days, new.crl_refresh, new.crl_shards) == (
        4,
        new.crl_duration * 0.75,
        8,
    )


def test_a_ca_is_revoked_where_those_approve_it_who_guard_the_cas(examined: Examined) -> None:
    (text,) = document("{authorityRef: services, generation: 1, reason: superseded}").values()
    found = examined({"teams/shop/r.yaml": text})
    errors = [d for d in found.diagnostics if d.severity is Severity.ERROR]
    assert [str(d.source) for d in errors] == ["teams/shop/r.yaml:3"]
    assert "belongs below revocations/" in errors[0].summary
