"""Where things are in a local target, what the files are called, and who may read them.

    PATH/.certform-owner                 whose directory this is
    PATH/NAME/current -> generations/0007
    PATH/NAME/previous -> generations/0006    only until the current generation is settled
    PATH/NAME/generations/0007/privkey.pem, cert.pem, chain.pem, fullchain.pem, trust.pem
    PATH/NAME/generations/0007/keystore.p12, truststore.p12, keystore.jks, truststore.jks    on request
    PATH/NAME/generations/0007/certform.json
    PATH/NAME/generations/0007/ca-certificates.pem    alone with its manifest, where NAME is a bundle
    PATH/.certform-new-NAME, PATH/.certform-gone-NAME    being made, being deleted
    PATH/.certform-aside-NAME    out of sight until its consumer is content without it, then deleted

The file names are certbot's. A consumer opens `current/...`; one rename of that link changes all.
One that opens the directory first, or `combined.pem` alone, never sees two generations mixed; one that
opens two paths after each other is told when by `reload`, which comes after the switch.
Directories and public files are readable by all, as certificates are public; only what holds the private
key, or is sealed by a password, has the configured mode. Directories stay certform's own, so that a
consumer that owns its files cannot put a link where certform is about to write.
"""

import os
import re
from dataclasses import dataclass

from providers.base import InstallRequest, TargetConfig
from providers.local.folder import Attributes, Folder
from providers.local.location import Location
from schemas.target import LocalDirectory

MARKER = ".certform-owner"
CURRENT = "current"
PREVIOUS = "previous"
GENERATIONS = "generations"
NOTHING = "0000"
"""The generation that never exists: what `previous` names when nothing was shown before."""
MANIFEST = "certform.json"
NEW = ".certform-new-"
GONE = ".certform-gone-"
ASIDE = ".certform-aside-"

PRIVATE_KEY = "privkey.pem"
CERTIFICATE = "cert.pem"
CHAIN = "chain.pem"
FULL_CHAIN = "fullchain.pem"
TRUST = "trust.pem"
COMBINED = "combined.pem"
ANCHORS = "ca-certificates.pem"
"""Named as Debian, OpenSSL's packagers and trust-manager do; of a bundle, not of a certificate."""
KEYSTORES = ("keystore.p12", "keystore.jks")
TRUSTSTORES = ("truststore.p12", "truststore.jks")
PRIVATE = (PRIVATE_KEY, COMBINED, *KEYSTORES, *TRUSTSTORES)
"""Who reads a truststore can try passwords on it, and it has that of the keystore."""
FILES = (PRIVATE_KEY, CERTIFICATE, CHAIN, FULL_CHAIN, TRUST)
COMBINED_FORMAT = "CombinedPEM"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_LINK = re.compile(r"generations/([0-9]{4,9})")
_GENERATION = re.compile(r"[0-9]{4,9}")


@dataclass(frozen=True, slots=True)
class Place:
    """One local target: its directory, and whose it is."""

    location: Location
    target: str
    owner: str
    settings: LocalDirectory

    @classmethod
    def of(cls, config: TargetConfig) -> "Place":
        """Return the place a configuration speaks of; a relative path starts at its root."""
        if config.spec.local_directory is None:
            raise ValueError(f"target {config.name} is not a local directory")
        settings = config.spec.local_directory
        location = Location.of(config.root, settings.path)
        return cls(location, config.name, config.owner, settings)

    def id(self, name: str) -> str:
        """Return the identity of an object: the path of its directory."""
        return os.path.join(self.location.path, name)  # noqa: PTH118  asked for every object of every look


@dataclass(frozen=True, slots=True)
class Site:
    """A place while its directory is open, and what its key files and its other files look like."""

    root: Folder
    place: Place
    private: Attributes
    public: Attributes

    @classmethod
    def of(cls, root: Folder, place: Place, private: Attributes) -> "Site":
        """Return a site whose public files have the private ones' owner and can be read by all."""
        public = Attributes(private.mode | 0o444, private.uid, private.gid)
        return cls(root, place, private, public)


def is_name(text: str) -> bool:
    """Whether a text may name an object: the same rule as `schemas.scalars.Name`."""
    return _NAME.fullmatch(text) is not None


def set_aside(entry: str) -> str | None:
    """Return the name of the object that a hidden entry is, None for any other entry."""
    name = entry.removeprefix(ASIDE)
    return name if name != entry and is_name(name) else None


def is_generation(text: str) -> bool:
    """Whether a directory's name is that of a generation."""
    return _GENERATION.fullmatch(text) is not None


def linked_generation(link: str | None) -> str | None:
    """Return the generation a link points at; None for a link that certform did not make."""
    match = _LINK.fullmatch(link) if link is not None else None
    return match[1] if match else None


def link_to(generation: str) -> str:
    """Return the relative link target of a generation."""
    return f"{GENERATIONS}/{generation}"


def after(generations: list[str]) -> str:
    """Return the name of the generation after all that exist."""
    return f"{max((int(name) for name in generations), default=0) + 1:04d}"


def contents(request: InstallRequest) -> dict[str, bytes]:
    """Return every file of a bundle by name."""
    bundle = request.bundle
    key = _line(bundle.held_key.reveal())
    full = b"".join(map(_line, (bundle.certificate, *bundle.chain)))
    files = {
        PRIVATE_KEY: key,
        CERTIFICATE: _line(bundle.certificate),
        CHAIN: b"".join(map(_line, bundle.chain)),
        FULL_CHAIN: full,
        TRUST: b"".join(map(_line, bundle.anchors)),
    }
    if COMBINED_FORMAT in request.output_formats:
        files[COMBINED] = key + full
    if request.keystores.stores:
        from providers.local.keystores import files_of  # noqa: PLC0415 - only where some are wanted

        for store in request.keystores.stores:
            files |= files_of(store, bundle)
    return files


def _line(pem: bytes) -> bytes:
    return pem if pem.endswith(b"\n") else pem + b"\n"


def attributes(name: str, site: Site) -> Attributes:
    """Return what a file is to look like: as configured for keys, readable by all for the rest."""
    return site.private if name in PRIVATE else site.public
