"""What is asked of a CA's next certificate and its next generation, and what cannot be."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from reconciler.repository import Examination

Examined = Callable[..., Examination]
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
CA = "kind: Authority\nmetadata: {name: more}\nspec:\n  commonName: Example More\n"


def more(*lines: str) -> dict[str, str]:
    """One more CA in the documents."""
    return {"authorities/more.yaml": CA + "".join(f"  {line}\n" for line in lines)}


def child(duration: str) -> dict[str, str]:
    """A CA below that one."""
    text = CA.replace("more}", "below}").replace("More", "Below")
    return {"authorities/below.yaml": f"{text}  parentRef: more\n  duration: {duration}\n"}


def test_a_ca_is_renewed_by_what_lives_longest_below_it(examined: Examined) -> None:
    found = examined({})
    assert found.desired is not None
    before = {name: ca.renew_before for name, ca in found.desired.authorities.items()}
    assert before["services"] == timedelta(days=30), "by its leaves"
    assert before["root"] == timedelta(days=1825), "by the CA that lives longest"
    assert before["open"] == timedelta(), "by nothing"


@pytest.mark.parametrize(
    ("lines", "days"),
    [
        (("renewBefore: 100d", "duration: 1y"), 100),
        (("renewBefore: 360d", "duration: 365d"), 328.5),
    ],
)
def test_or_earlier_where_that_is_asked_for(
    examined: Examined, lines: tuple[str, ...], days: float
) -> None:
    found = examined(more(*lines))
    assert found.desired is not None
    assert found.desired.authorities["more"].renew_before == timedelta(days=days)


@pytest.mark.parametrize(
    ("root", "below", "days"),
    [("3y", "2y", 730), ("3y", "731d", 365), ("1y", "1y", 365 / 3)],
)
def test_a_ca_is_not_renewed_all_the_time_for_what_lives_nearly_as_long(
    examined: Examined, root: str, below: str, days: float
) -> None:
    found = examined(more(f"duration: {root}") | child(below))
    assert found.desired is not None
    before = found.desired.authorities["more"].renew_before
    assert abs(before - timedelta(days=days)) < timedelta(seconds=1)


def test_what_lives_nearly_as_long_as_its_ca_is_warned_of_where_that_is_written(
    examined: Examined,
) -> None:
    (told,) = examined(more("duration: 1y") | child("1y")).diagnostics
    assert told.source is not None
    assert (told.source.file, told.source.line) == ("authorities/more.yaml", 5)
    assert told.summary == "authority/below is to live 1y and will often end earlier, with more"
    assert told.detail == "more lives 1y, and is renewed when two thirds of that are over."
    assert told.hint == ("give more a duration of at least 548d, or what it issues a shorter one")
    for enough in ({"duration: 548d"}, {"duration: 500d", "renewBefore: 1y"}):
        assert examined(more(*sorted(enough)) | child("1y")).diagnostics == ()


@pytest.mark.parametrize(
    ("lines", "summary"),
    [
        (("renewBefore: 1y", "duration: 1y"), "renewBefore must be shorter than its life (1y)"),
        (
            ("standby: true", f"privateKey: {{custody: {{aws-kms: {ARN}}}}}"),
            "a standby needs a key of its own, and privateKey.custody names one key",
        ),
        (
            ("parentRef: root", "duration: 1y", "crossSign: true"),
            "only a root is cross-signed by the generation before it",
        ),
        (
            ("crossSign: true",),
            "crossSign does nothing yet: there is no generation before 1 to sign it",
        ),
        (("standby: true", "retired: true"), "a retired CA keeps nothing ready"),
        (("crl: {shards: 257}",), 'spec.crl.shards: "257" must be at most 256'),
    ],
)
def test_what_cannot_be_is_told_at_its_line(
    examined: Examined, lines: tuple[str, ...], summary: str
) -> None:
    found = examined(more(*lines))
    (told,) = [d for d in found.diagnostics if d.summary == summary]
    assert told.source is not None
    assert told.source.file == "authorities/more.yaml"
    assert told.source.line > 3


def test_what_is_kept_ready_says_what_the_generation_after_it_will(examined: Examined) -> None:
    found = examined(more("standby: true", "crossSign: true", "generation: 3"))
    assert found.desired is not None
    ca = found.desired.authorities["more"]
    assert ca.crossed
    assert ca.standby is not None
    assert ca.standby.common_name == "Example More G4"
    assert ca.standby.generation == 4
