"""What policies require, hold to and make exceptions of: errors now, or data for the day that decides."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from examining import desired, source

from reconciler.baseline import (
    bound_at,
    crl_problems,
    days,
    key_problem,
    name_problem,
    ocsp_problems,
)
from reconciler.forewarning import foretold
from reconciler.limits import refusal
from reconciler.load.documents import read_documents
from reconciler.load.files import read_files
from reconciler.load.trees import open_tree
from reconciler.repository import Base, Examination, examine
from reconciler.resolve.policies import Standing
from reconciler.state import nothing
from schemas.authority import OcspSettings
from schemas.certificate import Algorithm
from schemas.policy import Baseline
from schemas.request import KeyType

TODAY = datetime(2026, 11, 27, tzinfo=UTC)
HEAD = "kind: Policy\nmetadata: {name: public}\nspec:\n  selector: {paths: [public/**]}\n"
LEAF = """\
kind: Certificate
metadata: {name: shop}
spec:
  issuerRef: open
  dnsNames:
    - shop.example.com
  duration: 90d
  usages: [server auth]
  targets:
    - disk
  privateKey:
    algorithm: ECDSA
"""
CABF = HEAD + "  baseline: cabf-tls\n"
REFUSED: Mapping[str, tuple[str, str, int]] = {
    "an internal name": ("shop.example.com", "shop.corp", 6),
    "a single label": ("shop.example.com", "shop", 6),
    "a reverse zone": ("shop.example.com", "1.2.0.192.in-addr.arpa", 6),
    "an underscore": ("shop.example.com", "a_b.example.com", 6),
    "another usage": ("[server auth]", "[server auth, code signing]", 8),
    "no server": ("[server auth]", "[client auth]", 8),
    "an Ed25519 key": ("ECDSA", "Ed25519", 12),
}


@pytest.mark.parametrize("case", REFUSED)
def test_the_baseline_refuses_at_the_offending_line(
    examined: Callable[..., Examination], case: str
) -> None:
    good, bad, line = REFUSED[case]
    files = {"config/p.yaml": CABF, "public/shop.yaml": LEAF.replace(good, bad)}
    (found,) = examined(files).diagnostics
    assert "(cabf-tls): policy public" in found.summary
    assert str(found.source) == f"public/shop.yaml:{line}"


def test_what_is_sound_is_kept_with_the_day_undecided(
    examined: Callable[..., Examination],
) -> None:
    found = examined({"config/p.yaml": CABF, "public/shop.yaml": LEAF})
    assert found.diagnostics == ()
    limits = desired(found).certificates["shop"].limits
    assert [(limit.baseline, str(limit.source)) for limit in limits.dated] == [
        (Baseline.CABF_TLS, "public/shop.yaml:7")
    ]
    assert desired(found).certificates["web"].limits.dated == ()


@pytest.mark.parametrize(
    ("day", "most"),
    [
        ("2026-03-14T23:59:59", 398),
        ("2026-03-15T00:00:00", 200),
        ("2027-03-14T23:59:59", 200),
        ("2027-03-15T00:00:00", 100),
        ("2029-03-14T23:59:59", 100),
        ("2029-03-15T00:00:00", 47),
        ("2050-01-01T00:00:00", 47),
    ],
)
def test_the_longest_life_steps_down_to_the_second(
    examined: Callable[..., Examination], day: str, most: int
) -> None:
    found = desired(examined({"config/p.yaml": CABF, "public/shop.yaml": LEAF}))
    limits, moment = found.certificates["shop"].limits, datetime.fromisoformat(f"{day}+00:00")
    assert bound_at(Baseline.CABF_TLS, moment).longest == timedelta(days=most)
    assert refusal(limits, most * 86400, moment) is None
    refused = refusal(limits, most * 86400 + 1, moment)
    assert refused is not None
    assert f"write `duration: {most}d`" in refused.message
    assert "policy public (config/p.yaml:5)" in refused.message
    assert str(refused.source) == "public/shop.yaml:7"


def test_any_second_more_is_another_day() -> None:
    assert days(timedelta(days=200)) == 200
    assert days(timedelta(days=200, seconds=1)) == 201


def test_validate_tells_what_will_be_refused_and_from_when(
    examined: Callable[..., Examination],
) -> None:
    long = LEAF.replace("90d", "200d")
    files = {"config/p.yaml": CABF, "public/shop.yaml": long}
    (ahead,) = foretold(desired(examined(files)), TODAY)
    assert ahead.summary == "from 2027-03-15 this is too long: 200d (cabf-tls allows 100d)"
    assert (str(ahead.source), ahead.hint) == ("public/shop.yaml:7", "write `duration: 100d`")
    (since,) = foretold(desired(examined(files)), datetime(2030, 1, 1, tzinfo=UTC))
    assert since.summary.startswith("since 2029-03-15 this is too long")
    brief = {**files, "public/shop.yaml": LEAF.replace("90d", "47d")}
    (advised,) = foretold(desired(examined(brief)), datetime(2030, 1, 1, tzinfo=UTC))
    assert advised.hint == "write `duration: 46d`"
    assert (
        foretold(
            desired(examined({**files, "public/shop.yaml": LEAF.replace("90d", "46d")})), TODAY
        )
        == ()
    )


def test_many_certificates_that_share_a_fate_are_told_of_once(
    examined: Callable[..., Examination],
) -> None:
    items = ", ".join(f"{{name: s{n}}}" for n in range(9))
    fleet = (
        "kind: CertificateSet\nmetadata: {name: f}\nspec:\n"
        f"  items: [{items}]\n"
        "  template: {spec: {issuerRef: open, dnsNames: ['{name}.example.com'], duration: 200d}}\n"
    )
    (ahead,) = foretold(desired(examined({"config/p.yaml": CABF, "public/f.yaml": fleet})), TODAY)
    assert str(ahead.source) == "config/p.yaml:5"
    assert "s0, s1, s2, s3, s4 and 4 more" in ahead.detail


REQUIRED = {
    "required: {targets: [disk, spare]}": (9, "the target spare is missing, and is required"),
    "required: {usages: [client auth]}": (8, "the usage client auth is missing, and is required"),
    "allowed: {usages: [client auth]}": (8, "the usage server auth is not allowed"),
}


@pytest.mark.parametrize("rule", REQUIRED)
def test_what_is_required_and_missing_is_told_where_it_belongs(
    examined: Callable[..., Examination], rule: str
) -> None:
    line, summary = REQUIRED[rule]
    (found,) = examined(
        {"config/p.yaml": f"{HEAD}  {rule}\n", "public/shop.yaml": LEAF}
    ).diagnostics
    assert found.summary == f"{summary}: policy public"
    assert str(found.source) == f"public/shop.yaml:{line}"


def test_a_required_target_that_there_is_none_of_is_a_mistake_of_the_policy(
    examined: Callable[..., Examination],
) -> None:
    (found,) = examined({"config/p.yaml": HEAD + "  required: {targets: [disc]}\n"}).diagnostics
    assert str(found.source) == "config/p.yaml:5"


EXCEPTION = """\
  allowed: {targets: [spare]}
  exceptions:
    - certificates: [shop]
      until: 2027-01-01
      reason: moves in December
"""


def test_an_exception_excuses_until_its_day_begins(examined: Callable[..., Examination]) -> None:
    files = {"config/p.yaml": HEAD + EXCEPTION, "public/shop.yaml": LEAF}
    found = examined(files)
    assert found.diagnostics == ()
    shop = desired(found).certificates["shop"]
    end = datetime(2027, 1, 1, tzinfo=UTC)
    assert refusal(shop.limits, shop.request.duration, end - timedelta(seconds=1)) is None
    over = refusal(shop.limits, shop.request.duration, end)
    assert over is not None
    assert over.message == (
        "the target disk is not allowed: policy public (config/p.yaml:7),"
        " which excused it until 2027-01-01 (moves in December)"
    )
    (told,) = foretold(desired(found), TODAY)
    assert told.summary == "policy public does not bind shop before 2027-01-01"
    assert "moves in December" in told.detail
    assert "the target disk is not allowed (public/shop.yaml:10)" in told.detail
    (ended,) = foretold(desired(found), end)
    assert ended.summary == "the exception of policy public for shop ended on 2027-01-01"


def test_an_exception_spares_nobody_else(examined: Callable[..., Examination]) -> None:
    other = LEAF.replace("name: shop", "name: other")
    files = {"config/p.yaml": HEAD + EXCEPTION, "public/a.yaml": LEAF, "public/b.yaml": other}
    (found,) = examined(files).diagnostics
    assert source(found).file == "public/b.yaml"


def test_an_exception_from_the_schedule_ends_too(examined: Callable[..., Examination]) -> None:
    text = CABF + EXCEPTION.partition("\n")[2]
    found = desired(
        examined({"config/p.yaml": text, "public/shop.yaml": LEAF.replace("90d", "300d")})
    )
    limits, life = found.certificates["shop"].limits, 300 * 86400
    assert refusal(limits, life, TODAY) is None
    assert limits.judged(TODAY) == ()
    assert refusal(limits, life, datetime(2027, 1, 1, tzinfo=UTC)) is not None
    assert len(limits.judged(datetime(2027, 1, 1, tzinfo=UTC))) == 1


def test_an_exception_for_nobody_is_told(examined: Callable[..., Examination]) -> None:
    files = {"config/p.yaml": HEAD + EXCEPTION.replace("[shop]", "[shpo]"), "public/s.yaml": LEAF}
    found = examined(files).diagnostics
    assert 'there is no Certificate called "shpo"' in [d.summary for d in found]


@pytest.mark.parametrize("until", ["2027-02-29", "soon", "2027-01-01T00:00:00Z"])
def test_an_exception_ends_on_a_day(examined: Callable[..., Examination], until: str) -> None:
    files = {"config/p.yaml": HEAD + EXCEPTION.replace("2027-01-01", until)}
    (found,) = examined(files).diagnostics
    assert str(found.source) == "config/p.yaml:8"


def base_of(root: Path, text: str) -> Base:
    """The commit that has a policy in force; only its policies matter."""
    folder = root.with_name(f"{root.name}-base")
    (folder / "config").mkdir(parents=True)
    (folder / "config/p.yaml").write_text(f"apiVersion: certform.dev/v1\n{text}")
    documents = read_documents(read_files(open_tree(folder, None))).documents
    return Base(nothing(None), Standing.of(documents, "0123456789ab"))


def test_an_exception_that_is_only_proposed_excuses_nothing(
    write: Callable[[Mapping[str, str]], Path],
) -> None:
    root = write({"config/p.yaml": HEAD + EXCEPTION, "public/shop.yaml": LEAF})
    proposed = base_of(root, HEAD + EXCEPTION.partition("\n")[0] + "\n")
    (found,) = examine(root, base=proposed).diagnostics
    assert found.summary.endswith("policy public, as it is in force")
    assert examine(root).diagnostics == ()


def test_a_baseline_that_is_taken_out_binds_until_that_is_merged(
    write: Callable[[Mapping[str, str]], Path],
) -> None:
    root = write({"config/p.yaml": HEAD, "public/shop.yaml": LEAF})
    found = desired(examine(root, base=base_of(root, CABF))).certificates["shop"]
    refused = refusal(found.limits, 201 * 86400, TODAY)
    assert refused is not None
    assert "of commit 0123456789ab" in refused.message


def test_a_finding_is_accepted_only_once_that_is_in_force(
    write: Callable[[Mapping[str, str]], Path],
) -> None:
    accepts = HEAD + "  lint: {accept: [pkix.some]}\n"
    root = write({"config/p.yaml": accepts, "public/shop.yaml": LEAF})
    assert desired(examine(root)).certificates["shop"].limits.accepted == {"pkix.some"}
    found = desired(examine(root, base=base_of(root, HEAD))).certificates["shop"]
    assert found.limits.accepted == frozenset()


CAS = HEAD.replace("{paths: [public/**]}", "{paths: [authorities/**], kind: Authority}")


@pytest.mark.parametrize(
    ("rule", "place", "words"),
    [
        ("constraints: {maxDuration: 364d}", "services", "1y is longer than 364d"),
        ("constraints: {privateKey: {minSize: {ECDSA: 384}}}", "root", "smaller than 384 bits"),
        ("constraints: {privateKey: {algorithms: [RSA]}}", "open", "ECDSA keys are not allowed"),
        ("allowed: {issuers: []}", "open", "the parent root is not allowed"),
    ],
)
def test_a_policy_of_kind_authority_binds_cas(
    examined: Callable[..., Examination], rule: str, place: str, words: str
) -> None:
    found = examined({"config/p.yaml": f"{CAS}  {rule}\n"}).diagnostics
    lines = {"root": range(1, 4), "services": range(4, 14), "open": range(14, 20)}
    about = [d for d in found if source(d).line in lines[place]]
    assert any(words in d.summary and "policy public" in d.summary for d in about)


@pytest.mark.parametrize("rule", ["required: {targets: [disk]}", "allowed: {wildcards: false}"])
def test_a_policy_of_authorities_says_nothing_of_certificates(
    examined: Callable[..., Examination], rule: str
) -> None:
    (found,) = examined({"config/p.yaml": f"{CAS}  {rule}\n"}).diagnostics
    assert found.summary.startswith("a policy of kind Authority says nothing of")


def test_an_exception_of_a_ca_ends_as_well(examined: Callable[..., Examination]) -> None:
    text = (
        f"{CAS}  constraints: {{maxDuration: 5y}}\n"
        "  exceptions: [{authorities: [root], until: 2027-01-01, reason: older}]\n"
    )
    found = desired(examined({"config/p.yaml": text}))
    root = found.authorities["root"]
    assert refusal(root.limits, root.request.duration, TODAY) is None
    assert refusal(root.limits, root.request.duration, datetime(2027, 1, 1, tzinfo=UTC)) is not None


@pytest.mark.parametrize(
    ("crl", "words"),
    [
        ("privateKey: {algorithm: Ed25519}", "Ed25519 is none of RSA"),
        ("crl: {duration: 11d}", "11d is longer than 10d"),
        ("crl: {duration: 10d}", "signed anew every 5d, not every 4d"),
        ("ocsp: {duration: 11d}", "11d is not between 8h and 10d"),
        ("ocsp: {duration: 9d}", "signed anew 8h before they end, and within 4d"),
    ],
)
def test_what_a_ca_publishes_is_bound_by_what_it_issues(
    examined: Callable[..., Examination], crl: str, words: str
) -> None:
    cas = (
        "kind: Authority\nmetadata: {name: tls}\nspec:\n  parentRef: root\n"
        f"  commonName: Example TLS\n  {crl}\n"
    )
    files = {
        "config/p.yaml": CABF,
        "authorities/tls.yaml": cas,
        "public/shop.yaml": LEAF.replace("issuerRef: open", "issuerRef: tls"),
    }
    found = [d for d in examined(files).diagnostics if words in d.summary]
    assert ["(cabf-tls, for what it issues): policy public" in d.summary for d in found] == [True]
    assert str(found[0].source) == "authorities/tls.yaml:6"


def test_keys_names_and_lists_are_judged_by_the_numbers_of_the_requirements() -> None:
    rsa = [KeyType(algorithm=Algorithm.RSA, size=size) for size in (1024, 2047, 2048, 2049, 4096)]
    assert [bool(key_problem(key)) for key in rsa] == [True, True, False, True, False]
    assert name_problem("IP address", "10.0.0.1")
    assert not name_problem("IP address", "8.8.8.8")
    assert not name_problem("DNS name", "*.xn--bcher-kva.de")
    assert name_problem("URI", "spiffe.example.com")
    day = timedelta(days=1)
    assert list(crl_problems(10 * day, 4 * day, ocsp=False)) == []
    assert list(crl_problems(10 * day, 7 * day, ocsp=True)) == []
    short = OcspSettings(duration=timedelta(hours=12), refresh_before=timedelta(hours=2))
    assert list(ocsp_problems(short)) != []
    assert list(ocsp_problems(OcspSettings())) == []
