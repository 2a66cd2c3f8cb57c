"""Keystores as they are written in documents: who may have them, and where their passwords are."""

from collections.abc import Callable, Mapping

import pytest

from reconciler.diagnostics import Severity
from reconciler.repository import Examination
from reconciler.state import DesiredInstall

Examined = Callable[..., Examination]
SEALED = "ENC[AES256_GCM,data:{},iv:aXY=,tag:dGFn,type:str]"
SOPS = 'web: {}\n"other key": {}\nsops:\n    age: []\n'
DOCUMENT = """\
kind: Certificate
metadata: {name: a}
spec:
  issuerRef: open
  dnsNames: [a.example]
  targets:
    - targetRef: TARGET
      keystores:
        pkcs12: {create: true, passwordSecretRef: {name: FILE, key: KEY}}
"""


def sealed(web: str = "abc=", other: str = "xyz=") -> str:
    return SOPS.format(SEALED.format(web), SEALED.format(other))


def written(
    target: str = "disk",
    file: str = "secrets/k.sops.yaml",
    key: str = "web",
    content: str | None = None,
) -> Mapping[str, str]:
    text = DOCUMENT.replace("TARGET", target).replace("FILE", file).replace("KEY", key)
    return {"a.yaml": text, "secrets/k.sops.yaml": sealed() if content is None else content}


def install(examination: Examination) -> DesiredInstall:
    assert examination.desired is not None, examination.diagnostics
    (found,) = examination.desired.certificates["a"].installs
    return found


def mistakes(examination: Examination) -> list[tuple[str, int]]:
    found = [d for d in examination.diagnostics if d.severity is Severity.ERROR]
    return [(f"{d.summary}; {d.hint}", d.source.line if d.source else 0) for d in found]


def test_a_keystore_is_wanted_with_the_file_that_its_password_is_in(examined: Examined) -> None:
    (store,) = install(examined(written())).keystores
    assert (store.form, store.alias, store.profile) == ("pkcs12", "certificate", "Modern2023")
    assert store.sealed.decode() == sealed()
    assert "ENC[" not in repr(store)


def test_only_another_password_of_its_own_makes_it_another_keystore(examined: Examined) -> None:
    def digest(content: str) -> str:
        return install(examined(written(content=content))).keystores_digest

    assert digest(sealed()) == digest(sealed(other="changed=")) != digest(sealed(web="changed="))


def test_what_is_not_to_be_created_is_not_wanted(examined: Examined) -> None:
    files = dict(written())
    files["a.yaml"] = files["a.yaml"].replace("create: true", "create: false")
    assert install(examined(files)).keystores == ()


def test_an_alias_of_a_jks_and_a_profile_that_is_inherited_are_kept(examined: Examined) -> None:
    files = dict(written())
    jks = "jks: {create: true, alias: My Server, passwordSecretRef: {name: FILE, key: other key}}"
    profile = (
        "kind: Profile\nmetadata: {name: java}\nspec:\n  issuerRef: open\n  targets:\n    - targetRef: disk\n"
        f"      keystores: {{{jks}}}\n"
    )
    files["config/java.yaml"] = profile.replace("FILE", "secrets/k.sops.yaml")
    files["a.yaml"] = (
        "kind: Certificate\nmetadata: {name: a}\nspec: {profileRef: java, dnsNames: [a.example]}\n"
    )
    (store,) = install(examined(files)).keystores
    assert (store.form, store.alias, store.password.key) == ("jks", "My Server", "other key")


def test_a_json_file_holds_passwords_too(examined: Examined) -> None:
    files = dict(written(file="secrets/k.sops.json"))
    files["secrets/k.sops.json"] = f'{{"web": "{SEALED.format("abc=")}", "sops": {{}}}}'
    assert (
        install(examined(files)).keystores_digest == install(examined(written())).keystores_digest
    )


WRONG = {
    "a place that writes none": (written("cloud"), "writes no keystores: leave keystores out", 7),
    "a key that is not there": (written(key="wbe"), "holds no password under wbe", 9),
    "a password in the clear": (written(content="web: hunter2\n"), "that sops encrypted", 9),
    "a number": (
        written(content=sealed().replace("type:str", "type:int")),
        "in quotes where it looks like a number",
        9,
    ),
    "a file that is too large": (
        written(content=sealed() + "#" * (1 << 20)),
        "cannot be read: it is larger than 1 MiB",
        9,
    ),
    "sops' own data": (written(key="sops"), "holds no password under sops", 9),
    "a file that is not there": (written(file="secrets/none.yaml"), "cannot be read", 9),
    "a file elsewhere": (written(file="../k.yaml"), "is not a file of the repository", 9),
}
CLOUD = "kind: Target\nmetadata: {name: cloud}\nspec: {azure-key-vault: {vault: kv-example}}\n"


@pytest.mark.parametrize("case", WRONG)
def test_a_certificate_is_refused_for(examined: Examined, case: str) -> None:
    files, summary, line = WRONG[case]
    said = mistakes(examined({**files, "config/cloud.yaml": CLOUD}))
    assert [place for text, place in said if summary in text] == [line], said
    assert "hunter2" not in str(said)
