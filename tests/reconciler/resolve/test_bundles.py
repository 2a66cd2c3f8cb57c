"""What is wrong with a Bundle is told at its line; what is right comes with its defaults."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

import pytest
from examining import desired, source
from trusting import stranger

from reconciler.repository import Examination
from reconciler.state import DesiredInstall

Examine = Callable[[Mapping[str, str]], Examination]
START = datetime(2026, 1, 1, tzinfo=UTC)
PARTNER, OTHER = (stranger(name, START).decode() for name in ("Partner Root", "Other Root"))


def bundle(*lines: str) -> str:
    return "\n".join(("kind: Bundle", "metadata: {name: corp}", "spec:", *lines, ""))


def told(found: Examination) -> list[tuple[str, str]]:
    return [(str(source(each)), each.summary) for each in found.diagnostics]


def test_roots_files_and_places_are_taken_over_with_defaults(examined: Examine) -> None:
    text = bundle(
        "  authorities: [root]",
        "  files: [config/partners.pem]",
        "  targets: [disk, {targetRef: spare, objectName: cas}]",
    )
    text = text.replace("name: corp", "name: corp, labels: {team: web}")
    found = examined(
        {"config/bundle.yaml": text, "config/partners.pem": f"# of ours\n{PARTNER}{OTHER}"}
    )
    assert found.diagnostics == ()
    corp = desired(found).bundles["corp"]
    assert corp.address == "bundle/corp"
    assert corp.authorities == ("root",)
    assert sorted(corp.others) == sorted((PARTNER.encode(), OTHER.encode()))
    assert corp.overlap == timedelta(days=7)
    assert corp.installs == (DesiredInstall("disk", "corp"), DesiredInstall("spare", "cas"))
    assert corp.labels == {"team": "web"}
    assert str(corp.source) == "config/bundle.yaml:1"


def test_a_digest_is_of_what_is_trusted_alone(examined: Examine) -> None:
    def digest(text: str, pem: str) -> str:
        found = examined({"config/bundle.yaml": text, "config/p.pem": pem})
        return desired(found).bundles["corp"].digest

    lines = ("  authorities: [root]", "  files: [config/p.pem]", "  targets: [disk]")
    first = digest(bundle(*lines), PARTNER + OTHER)
    assert digest(bundle(*lines, "  overlap: 1d"), OTHER + "\n\n" + PARTNER) == first
    assert digest(bundle(*lines), PARTNER) != first


@pytest.mark.parametrize(
    ("lines", "line", "summary"),
    [
        (
            ("  authorities: [root, services]", "  targets: [disk]"),
            4,
            "services is not a root: verifiers take no intermediate for an anchor",
        ),
        (
            ("  authorities: [root, root]", "  targets: [disk]"),
            4,
            "the authority root is listed twice",
        ),
        (
            ("  authorities: [rot]", "  targets: [disk]"),
            4,
            'spec.authorities[0]: there is no Authority called "rot"',
        ),
        (
            ("  authorities: [root]", "  targets: [disc]"),
            5,
            'spec.targets[0]: there is no Target called "disc"',
        ),
        (
            ("  authorities: [root]", "  targets: [disk, {targetRef: disk, objectName: other}]"),
            5,
            "the target disk is listed twice",
        ),
        (
            ("  authorities: [root]", "  targets: [disk, vault]"),
            5,
            "the target vault (azure-key-vault) cannot hold trust anchors",
        ),
        (
            ("  authorities: [root]", "  targets: [{targetRef: disk, objectName: web}]"),
            5,
            "certificate/web is called web in the target disk, too",
        ),
    ],
)
def test_what_leads_nowhere_or_can_hold_nothing_is_told_at_its_line(
    examined: Examine, lines: tuple[str, ...], line: int, summary: str
) -> None:
    vault = (
        "kind: Target\nmetadata: {name: vault}\n"
        "spec: {azure-key-vault: {vault: 'https://example.vault.azure.net'}}\n"
    )
    found = examined({"config/bundle.yaml": bundle(*lines), "config/vault.yaml": vault})
    assert told(found) == [(f"config/bundle.yaml:{line}", summary)]
    assert found.desired is None


def test_who_names_an_intermediate_is_told_its_root(examined: Examine) -> None:
    text = bundle("  authorities: [services]", "  targets: [disk]")
    (finding,) = examined({"config/bundle.yaml": text}).diagnostics
    assert finding.hint == "name the root it hangs by, root"


def test_two_bundles_do_not_share_a_name_in_a_place(examined: Examine) -> None:
    lines = ("  authorities: [root]", "  targets: [{targetRef: disk, objectName: cas}]")
    second = bundle(*lines).replace("name: corp", "name: lab")
    found = examined({"config/bundle.yaml": f"{bundle(*lines)}---\n{second}"})
    assert told(found) == [
        ("config/bundle.yaml:11", "bundle/corp is called cas in the target disk, too")
    ]


@pytest.mark.parametrize(
    ("name", "content", "summary"),
    [
        ("config/p.pem", "no PEM", "config/p.pem holds something that is no certificate in PEM"),
        (
            "config/p.pem",
            f"{PARTNER}-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n",
            "config/p.pem holds something that is no certificate in PEM",
        ),
        (
            "config/p.pem",
            f"{PARTNER}-----BEGIN EC PRIVATE KEY-----\nAAAA\n",
            "config/p.pem holds a private key",
        ),
        (
            "config/p.pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "config/p.pem holds a certificate that cannot be read",
        ),
        (
            "config/p.pem",
            stranger("www.example.com", START, ca=False).decode(),
            "config/p.pem: CN=www.example.com is not a CA certificate",
        ),
        ("p.pem", PARTNER, "p.pem is not below config/ or authorities/"),
    ],
)
def test_a_file_that_brings_something_else_is_refused_at_its_line(
    examined: Examine, name: str, content: str, summary: str
) -> None:
    text = bundle(f"  files: [{name}]", "  targets: [disk]")
    found = examined({"config/bundle.yaml": text, name: content})
    assert told(found) == [("config/bundle.yaml:4", summary)]
    assert found.desired is None


def test_no_word_of_a_key_in_a_file_is_shown(examined: Examine) -> None:
    text = bundle("  files: [config/p.pem]", "  targets: [disk]")
    key = "-----BEGIN PRIVATE KEY-----\nU0VDUkVU\n-----END PRIVATE KEY-----\n"
    found = examined({"config/bundle.yaml": text, "config/p.pem": key})
    assert "U0VDUkVU" not in repr(found.diagnostics)


def test_a_file_that_is_not_there_is_told_once(examined: Examine) -> None:
    text = bundle("  files: [config/gone.pem]", "  targets: [disk]")
    ((place, summary),) = told(examined({"config/bundle.yaml": text}))
    assert place == "config/bundle.yaml:4"
    assert summary.startswith('"config/gone.pem" cannot be read')


def test_duplicates_and_intermediates_of_others_are_warned_of(examined: Examine) -> None:
    below = stranger("Partner Issuing", START, by="Partner Root").decode()
    text = bundle("  files: [config/a.pem, config/b.pem]", "  targets: [disk]")
    files = {"config/a.pem": PARTNER + PARTNER, "config/b.pem": PARTNER + below}
    found = examined({"config/bundle.yaml": text, **files})
    assert sorted(summary for _, summary in told(found)) == [
        "config/a.pem holds a certificate twice: CN=Partner Root",
        "config/b.pem holds a certificate that is in config/a.pem as well: CN=Partner Root",
        "config/b.pem: CN=Partner Issuing is not self-signed",
    ]
    assert len(desired(found).bundles["corp"].others) == 2


def test_a_bundle_has_to_bring_something_and_lies_where_it_is_guarded(examined: Examine) -> None:
    ((_, summary),) = told(examined({"config/bundle.yaml": bundle("  targets: [disk]")}))
    assert "must name at least one of `authorities` or `files`" in summary
    text = bundle("  authorities: [root]", "  targets: [disk]")
    found = examined({"config/bundle.yaml": "", "bundle.yaml": text})
    assert [summary for _, summary in told(found)] == ["Bundle does not belong in bundle.yaml"]


@pytest.mark.parametrize(
    ("field", "untold"),
    [
        ("generation: 2", True),
        ("standby: true", True),
        ("generation: 2, crossSign: true", False),
        ("generation: 2, retired: true", False),
        ("generation: 1", False),
    ],
)
def test_a_new_root_that_nobody_is_told_of_is_warned_of(
    examined: Examine, field: str, *, untold: bool
) -> None:
    lone = f"kind: Authority\nmetadata: {{name: lone}}\nspec: {{commonName: Lone, {field}}}\n"
    wanted = [("authorities/lone.yaml:3", "nobody is told of the new root of lone")]
    assert told(examined({"authorities/lone.yaml": lone})) == (wanted if untold else [])
    text = bundle("  authorities: [lone]", "  targets: [disk]")
    assert told(examined({"authorities/lone.yaml": lone, "config/bundle.yaml": text})) == []
