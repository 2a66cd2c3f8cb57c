"""A plan where GitHub takes less than everything: it is made, and what was left out is a notice."""

import re

import pytest
from github_emulator import BOT
from github_events import pull_request, workflow_dispatch
from github_state import Pull
from plan_station import Ran, Station
from rig import FOURTH
from wire import Response, Way

from reconciler.github.checks import plan_check_name

NAME = plan_check_name("faults")
UNRECORDED = "**This plan is not recorded** as a check run"


@pytest.fixture
def pull(station: Station) -> Pull:
    return station.github.pull({"fourth.yaml": FOURTH})


def check_planned(ran: Ran) -> None:
    """Check that there is a plan wherever GitHub has no say."""
    assert ran.code == 0, ran.said
    assert ran.outputs["changes"] == "3"
    assert "### Certificates: 1 to issue, 2 to install (faults)" in ran.summary
    assert 'certificate "four"' in ran.log


def test_a_token_that_may_only_read_costs_a_notice_for_each_thing_left_out(
    station: Station, pull: Pull
) -> None:
    token = station.github.token(contents="read", pull_requests="read", checks="read")
    ran = station.plan(pull_request(station.github, pull), token=token)
    check_planned(ran)
    assert [line.split(": ")[0] for line in ran.commands("notice")] == [
        "::notice title=certform::the check run",
        "::notice title=certform::the comment",
    ]
    assert UNRECORDED in ran.summary
    assert not station.github.comments(pull.number)


def test_a_token_that_may_write_no_check_run_says_so_where_merging_is_spoken_of(
    station: Station, pull: Pull
) -> None:
    token = station.github.token(contents="read", pull_requests="write")
    ran = station.plan(pull_request(station.github, pull), token=token)
    check_planned(ran)
    (comment,) = station.github.comments(pull.number, author=BOT)
    assert UNRECORDED in comment.body
    assert "**Merging**" not in comment.body


@pytest.mark.parametrize("switch", ["check", "comment"])
def test_what_is_switched_off_is_not_done_and_no_notice(
    station: Station, pull: Pull, switch: str
) -> None:
    ran = station.plan(pull_request(station.github, pull), **{switch: "false"})
    check_planned(ran)
    assert bool(station.github.comments(pull.number)) is (switch == "check")
    assert bool(station.github.checks(pull.head, NAME)) is (switch == "comment")
    assert not ran.commands("notice")


def test_without_a_token_nothing_is_told_and_nothing_is_asked(station: Station, pull: Pull) -> None:
    ran = station.plan(pull_request(station.github, pull), token="")
    check_planned(ran)
    assert not station.github.requests
    assert len(ran.commands("notice")) == 2


def test_a_github_that_is_down_does_not_fail_the_plan(station: Station, pull: Pull) -> None:
    station.github.wire.fail("*", Way.REFUSED, Response(400, b"{}"), times=None)
    ran = station.plan(pull_request(station.github, pull))
    check_planned(ran)
    assert len(ran.commands("notice")) == 2


def test_a_failed_plan_with_github_down_fails_with_its_own_reason(station: Station) -> None:
    pull = station.github.pull({"fourth.yaml": FOURTH.replace("issuing", "isuing")})
    station.github.wire.fail("*", Way.REFUSED, Response(400, b"{}"), times=None)
    ran = station.plan(pull_request(station.github, pull))
    assert ran.code == 1
    assert ran.outputs["failure-reason"] == "invalid"
    assert "### Certificates: no plan, 1 error (faults)" in ran.summary
    assert len(ran.commands("error")) == 1


def test_a_fork_is_planned_without_asking_any_target(station: Station) -> None:
    github = station.github
    pull = github.pull({"fourth.yaml": FOURTH}, fork="stranger/pki")
    token = github.token(contents="read", pull_requests="read", checks="read")
    ran = station.plan(pull_request(github, pull, actor="stranger"), token=token)
    check_planned(ran)
    assert "**Nobody looked at 2 targets:**" in ran.summary
    assert "a maintainer plans it" in ran.summary
    assert station.fingerprints(pull) is None


@pytest.mark.parametrize(
    ("actor", "offline", "looked"),
    [
        ("someone", "auto", True),
        ("someone", "true", False),
        ("dependabot[bot]", "auto", False),
        ("dependabot[bot]", "false", True),
    ],
)
def test_whether_targets_are_asked_depends_on_who_proposes_unless_it_is_said(
    station: Station, pull: Pull, actor: str, offline: str, *, looked: bool
) -> None:
    ran = station.plan(pull_request(station.github, pull, actor=actor), offline=offline)
    check_planned(ran)
    assert ("Nobody looked at" not in ran.summary) is looked


def test_a_number_of_no_pull_request_fails_and_says_so(station: Station) -> None:
    ran = station.plan(workflow_dispatch(station.github), pull_request="99")
    assert ran.code == 1
    assert "no plan, 1 error" in ran.summary
    ran = station.plan(workflow_dispatch(station.github), pull_request="99", token="")
    assert "the input `pull-request` needs the input `token`" in ran.said


def test_a_checkout_of_the_head_alone_is_compared_with_the_base_of_the_event(
    station: Station, pull: Pull
) -> None:
    event = pull_request(station.github, pull)
    ran = station.plan(event, at=pull.head)
    check_planned(ran)
    assert f"<code>{pull.head[:12]}</code> onto <code>{pull.base[:12]}</code>" in ran.summary


def test_a_check_run_that_lacks_remarks_records_the_plan_all_the_same(station: Station) -> None:
    github = station.github
    nameless = FOURTH.replace("dnsNames: [four.example.com]", "commonName: four")
    pull = github.pull(
        {f"{place}.yaml": nameless.replace("four", f"four-{place}") for place in range(60)}
    )
    github.wire.fail("checks/update", Way.REFUSED, Response(422, b"{}"), times=None)
    ran = station.plan(pull_request(github, pull))
    (notice,) = ran.commands("notice")
    assert "the check run: it is there, but for" in notice
    assert station.fingerprints(pull)
    (comment,) = github.comments(pull.number, author=BOT)
    assert UNRECORDED not in comment.body


def test_sixty_kilobytes_of_names_fit(station: Station) -> None:
    names = ", ".join(f"a{place}.{'b' * 60}.example.com" for place in range(800))
    document = FOURTH.replace("[four.example.com]", f"[{names}]")
    pull = station.github.pull({"fourth.yaml": document})
    ran = station.plan(pull_request(station.github, pull))
    check_planned(ran)
    (comment,) = station.github.comments(pull.number, author=BOT)
    assert len(comment.body) < 65_536
    assert "a0." in comment.body
    assert "**1 more** change does not fit here; all of it is in [the job summary](" in comment.body
    assert names.rpartition(" ")[2] in ran.summary


def test_a_files_name_and_words_are_no_command_and_no_markup(station: Station) -> None:
    name = "::error::x,line=9.yaml"
    document = 'kind: "Certificat`|<!-- @all"\nmetadata: {name: "--> ::error::"}\nspec: {}\n'
    pull = station.github.pull({name: document})
    ran = station.plan(pull_request(station.github, pull))
    (comment,) = station.github.comments(pull.number, author=BOT)
    assert ran.code == 1
    for line in ran.commands("error"):
        assert "file=%3A%3Aerror%3A%3Ax%2Cline=9.yaml,line=" in line
    assert len(ran.commands("error")) == len(re.findall(r"\*\*error\*\*", comment.body)) > 0
    assert "@all" not in comment.body
    assert comment.body.count("<!--") == comment.body.count("-->") == 3
    assert not re.search(r"(?m)^\s*::|##\[", ran.said)


def test_two_thousand_certificates_fit_and_every_fingerprint_is_shown(station: Station) -> None:
    github = station.github
    pull = github.pull({"devices.yaml": devices(2_000)})
    ran = station.plan(pull_request(github, pull))
    assert ran.code == 0, ran.said
    (comment,) = github.comments(pull.number, author=BOT)
    assert len(comment.body) < 65_536
    assert len(ran.summary.encode()) < 1 << 20
    assert (
        comment.body.split("\n")[1] == "### Certificates: 2,000 to issue, 2,000 to install (faults)"
    )
    found = station.fingerprints(pull)
    assert found is not None
    assert len(found) == 4_000
    assert github.wire.counts["checks/create"] == 2


def devices(number: int) -> str:
    items = "".join(f"  - name: device-{place:04}\n" for place in range(number))
    spec = '{issuerRef: issuing, duration: 30d, dnsNames: ["{name}.example.com"], targets: [mesh]}'
    return (
        "kind: CertificateSet\nmetadata: {name: devices}\nspec:\n  template:\n    metadata: {}\n"
        f"    spec: {spec}\n  items:\n{items}"
    )
