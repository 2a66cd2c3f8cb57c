"""A small sound repository, and what is found when some of its files are other ones."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from reconciler.repository import Examination, examine

SOUND = {
    "certform.yaml": """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: example}
spec:
  keyring: [{age: age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p}]
""",
    "authorities/cas.yaml": """\
kind: Authority
metadata: {name: root}
spec: {commonName: Example Root}
---
kind: Authority
metadata: {name: services}
spec:
  parentRef: root
  commonName: Example Services
  duration: 1y
  nameConstraints:
    permitted: {dnsDomains: [svc.internal], uriDomains: [svc.internal]}
    excluded: {dnsDomains: [secret.svc.internal]}
---
kind: Authority
metadata: {name: open}
spec: {parentRef: root, commonName: Example Open}
""",
    "config/all.yaml": """\
kind: Profile
metadata: {name: base, labels: {env: prod, tier: low}}
spec:
  issuerRef: services
  duration: 30d
  privateKey: {algorithm: RSA, size: 3072}
  targets: [disk]
---
kind: Profile
metadata: {name: service, labels: {tier: high}}
spec:
  profileRef: base
  usages: [server auth, client auth]
---
kind: Target
metadata: {name: disk}
spec: {local-directory: {path: tls}}
---
kind: Target
metadata: {name: spare}
spec: {local-directory: {path: spare}}
""",
    "web.yaml": """\
kind: Certificate
metadata: {name: web, labels: {team: shop}}
spec:
  profileRef: service
  dnsNames: [web.svc.internal]
""",
}


@pytest.fixture
def write(tmp_path: Path) -> Callable[[Mapping[str, str]], Path]:
    def write(files: Mapping[str, str]) -> Path:
        for name, text in {**SOUND, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def examined(write: Callable[[Mapping[str, str]], Path]) -> Callable[..., Examination]:
    """Examine the sound repository with some files added or replaced."""

    def examined(files: Mapping[str, str] | None = None) -> Examination:
        return examine(write(files or {}))

    return examined
