"""The tree of authorities and CAs of others, with the certificates below each, and where these go."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reconciler.render.escape import inert, visible
from reconciler.state import Desired, DesiredAuthority, DesiredCertificate


@dataclass(frozen=True, slots=True)
class Node:
    """A line of a tree, and what hangs below it."""

    text: str
    children: tuple["Node", ...] = ()


def render_graph(desired: Desired) -> str:
    """Return the tree as text; an Issuer is in it where something is asked of it."""
    roots = (*_authorities(desired, None), *_issuers(desired))
    lines = (visible(desired.project), *branches(roots))
    return "".join(f"{inert(line)}\n" for line in lines)


def _authorities(desired: Desired, parent: str | None) -> tuple[Node, ...]:
    children = [a for a in desired.authorities.values() if a.request.issuer == parent]
    return tuple(
        Node(
            _authority(authority),
            _authorities(desired, authority.name) + _certificates(desired, authority.name),
        )
        for authority in sorted(children, key=lambda a: a.name)
    )


def _issuers(desired: Desired) -> Iterator[Node]:
    for name in sorted(desired.issuers):
        if below := _authorities(desired, name) + _certificates(desired, name):
            yield Node(f"issuer/{name} ({desired.issuers[name].spec.kind})", below)


def _certificates(desired: Desired, issuer: str) -> tuple[Node, ...]:
    issued = [c for c in desired.certificates.values() if c.request.issuer == issuer]
    return tuple(Node(_certificate(c)) for c in sorted(issued, key=lambda c: c.name))


def _authority(authority: DesiredAuthority) -> str:
    retired = ", retired" if authority.retired else ""
    about = f'"{visible(authority.request.common_name)}", {authority.request.key}{retired}'
    return f"{authority.address} ({about})"


def _certificate(certificate: DesiredCertificate) -> str:
    targets = [visible(install.target) for install in certificate.installs]
    return certificate.address + (f" -> {', '.join(targets)}" if targets else " -> nowhere")


def branches(nodes: Sequence[Node], indent: str = "") -> Iterator[str]:
    """Yield the lines of a tree, drawn with the signs of a terminal."""
    for place, node in enumerate(nodes, start=1):
        last = place == len(nodes)
        yield f"{indent}{'└── ' if last else '├── '}{node.text}"
        yield from branches(node.children, indent + ("    " if last else "│   "))
