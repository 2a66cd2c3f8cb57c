"""The documents of a small repository that pull requests are merged into."""

PROJECT = """\
apiVersion: certform.dev/v1
kind: Project
metadata: {name: pki}
spec:
  keyring: [{age: RECIPIENT}]
"""
AUTHORITY = """\
kind: Authority
metadata: {name: root}
spec: {commonName: Root, duration: 10y}
"""
TARGETS = """\
kind: Target
metadata: {name: edge}
spec: {local-directory: {path: LIVE/edge}}
---
kind: Target
metadata: {name: mesh}
spec: {local-directory: {path: LIVE/mesh}, check: [cat, LIVE/gate]}
"""
CERTIFICATE = """\
kind: Certificate
metadata: {name: NAME}
spec: {issuerRef: root, duration: 30d, dnsNames: [DOMAINS], targets: [edge]}
"""


def certificate(name: str, *domains: str, target: str = "edge") -> str:
    """Return the document of a certificate."""
    named = ", ".join(domains or (f"{name}.example.com",))
    text = CERTIFICATE.replace("NAME", name).replace("DOMAINS", named)
    return text.replace("[edge]", f"[{target}]")
