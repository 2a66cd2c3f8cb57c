"""Whatever is mangled in a repository, there is a finding with a place, in words, and no traceback."""

import random
import re
from collections.abc import Callable
from pathlib import Path

from reconciler.repository import Examination

WORDS = (
    "null",
    "~",
    "[]",
    "{}",
    "[a]",
    "{a: b}",
    "'{'",
    "-1",
    "99999999999y",
    "*x",
    "'",
    '"',
    "\n",
    "  ",
    ": ",
    "- ",
    "web",
    "services",
    "root",
    "0",
    "\u202e",
    "10.0.0.0/8",
    "a@b",
    "---\n",
    "{name}",
)
MORE = {
    "set.yaml": (
        "kind: CertificateSet\nmetadata: {name: f}\nspec:\n"
        '  template: {spec: {profileRef: service, dnsNames: ["{name}.svc.internal"]}}\n  csv: f.csv\n'
    ),
    "f.csv": "name,x\na,b\nc,d\n",
    "config/p.yaml": (
        "kind: Policy\nmetadata: {name: p}\nspec: {selector: {paths: ['**']},"
        " allowed: {ipRanges: [10.0.0.0/8], dnsDomains: [internal]}, constraints: {maxDuration: 30d}}\n"
    ),
    "r.yaml": (
        "kind: Revocation\nmetadata: {name: r}\n"
        "spec: {certificates: [web], issuedBefore: 2026-01-01T00:00:00Z}\n"
    ),
}  # fmt: skip


def mangled(text: str, chance: random.Random) -> str:
    for _ in range(chance.randint(1, 3)):
        tokens = [token.span() for token in re.finditer(r"[\w.*/-]+|[^\w\s]", text)]
        start, end = chance.choice(tokens or [(0, 0)])
        text = text[:start] + chance.choice(WORDS) + text[end if chance.random() < 0.8 else start :]
    return text


def test_no_mangled_repository_makes_it_fall_over(
    examined: Callable[..., Examination], tmp_path: Path
) -> None:
    chance = random.Random(20261124)
    examined(MORE)
    sound = {p: p.read_text() for p in tmp_path.rglob("*") if p.is_file()}
    refused = 0
    for _ in range(150):
        files = {
            str(path.relative_to(tmp_path)): mangled(text, chance)
            if chance.random() < 0.4
            else text
            for path, text in sound.items()
        }
        examination = examined(files)
        refused += examination.desired is None
        assert all(found.source is not None for found in examination.diagnostics)
        assert not any("Input should" in found.summary for found in examination.diagnostics)
    assert refused > 100


def test_the_mangled_repository_was_sound_before(examined: Callable[..., Examination]) -> None:
    assert examined(MORE).diagnostics == ()
