"""Every field of cert-manager's Certificate, Issuer and ClusterIssuer (v1), and how values are written there.

https://cert-manager.io/docs/reference/api-docs/ as of cert-manager 1.21.
"""

import re
from datetime import timedelta

from reconciler.importing.notes import TAKEN, Rule, Table, left, silent
from reconciler.importing.survey import Survey
from reconciler.resolve.keys import SIZES
from schemas.certificate import Algorithm
from schemas.request import KeyType

_KUBERNETES = silent("Kubernetes' own")
_POD = left(
    "pods and routes of Kubernetes prove nothing here: choose http01.webroot, standalone, or dns01"
)
_CREDENTIALS = left(
    "credentials are not copied: the cloud's own chain finds those of the host that applies"
)
_STATUS = silent("what cert-manager made of it")
_CA_SAYS = left("for CAs of yours, `spec.publish` of the Project says where CRLs and responses are")
_VENAFI = left("there is no issuer of this kind: ask the CA by ACME, or through Vault")
_TOKEN = left("write the secret into a sops file, and name it in vault.auth")

METADATA: Table = {
    **dict.fromkeys(("apiVersion", "kind"), silent("says what it is")),
    "metadata.name": TAKEN,
    "metadata.namespace": TAKEN,
    "metadata.labels": TAKEN,
    "metadata.annotations": TAKEN,
    "metadata": _KUBERNETES,
    "status": _STATUS,
}
_SAME = (
    *("commonName", "dnsNames", "ipAddresses", "uris", "emailAddresses", "duration", "renewBefore"),
    *("renewBeforePercentage", "usages", "isCA", "issuerRef.name", "issuerRef.kind"),
    *("issuerRef.group", "secretName", "privateKey.algorithm", "privateKey.size"),
    *("privateKey.rotationPolicy", "keystores.jks", "keystores.pkcs12"),
    *("additionalOutputFormats", "nameConstraints", "renewal.policy"),
)
_SUBJECT = (
    *("organizations", "countries", "organizationalUnits", "localities", "provinces"),
    *("streetAddresses", "postalCodes", "serialNumber"),
)
CERTIFICATE: Table = {
    **METADATA,
    **{f"spec.{name}": TAKEN for name in _SAME},
    **{f"spec.subject.{name}": TAKEN for name in _SUBJECT},
    "spec.privateKey.encoding": TAKEN,
    "spec.literalSubject": left(
        "write commonName and subject: the order of a name's parts is not kept"
    ),
    "spec.otherNames": left("no such names are issued: ask for what its clients can do with uris"),
    "spec.secretTemplate": left(
        "there is no Secret: `metadata.labels` are put on what is installed"
    ),
    "spec.signatureAlgorithm": left("the signature follows from the issuer's key"),
    "spec.encodeUsagesInRequest": silent("the request of certform says what it asks for"),
    "spec.revisionHistoryLimit": silent("the ledger keeps the history of all"),
    "spec.renewal.windows": left("there are no windows: run `certform renew` when it suits"),
}
_ACME = (
    *("server", "email", "profile", "preferredChain", "caBundle", "privateKeySecretRef"),
    *("externalAccountBinding.keyID", "externalAccountBinding.keySecretRef"),
    "renewalInformationSource",
)
_DNS = (
    *("cnameStrategy", "nameservers", "cloudflare", "digitalocean", "webhook.solverName"),
    *("route53.role", "route53.hostedZoneID", "cloudDNS.project", "cloudDNS.hostedZoneName"),
    *("azureDNS.subscriptionID", "azureDNS.resourceGroupName", "azureDNS.hostedZoneName"),
    *("azureDNS.tenantID", "rfc2136.nameserver", "rfc2136.tsigKeyName", "rfc2136.tsigAlgorithm"),
    "rfc2136.tsigSecretSecretRef",
)
_NO_SOLVER = left("there is no solver for it: choose another")
_DNS_LEFT: dict[str, Rule] = {
    **dict.fromkeys(("akamai", "acmeDNS"), _NO_SOLVER),
    "webhook.groupName": silent("who runs the webhook"),
    "webhook.config": left("a webhook's settings are its own, and credentials are not copied"),
    "route53.region": silent("Route 53 is one for all regions"),
    **dict.fromkeys(
        (
            *("route53.auth", "route53.accessKeyID", "route53.accessKeyIDSecretRef"),
            *("route53.secretAccessKeySecretRef", "cloudDNS.serviceAccountSecretRef"),
            *("azureDNS.clientID", "azureDNS.clientSecretSecretRef", "azureDNS.managedIdentity"),
        ),
        _CREDENTIALS,
    ),
    "azureDNS.environment": TAKEN,
    "azureDNS.zoneType": left("only public zones are looked at by a public CA"),
    "rfc2136.protocol": silent("updates go over TCP"),
}
_SOLVER = "spec.acme.solvers.*"
_VAULT = (
    *("server", "path", "namespace", "caBundle", "auth.tokenSecretRef", "auth.appRole.path"),
    *("auth.appRole.roleId", "auth.appRole.secretRef", "auth.kubernetes.role"),
    *(
        "auth.kubernetes.mountPath",
        "auth.kubernetes.secretRef",
        "auth.kubernetes.serviceAccountRef",
    ),
)
ISSUER: Table = {
    **METADATA,
    **{f"spec.acme.{name}": TAKEN for name in _ACME},
    "spec.acme.externalAccountBinding.keyAlgorithm": silent("it is HS256, there as here"),
    "spec.acme.skipTLSVerify": left("the server's certificate is always verified: write caBundle"),
    "spec.acme.disableAccountKeyGeneration": silent("no key is made but by `certform issuer key`"),
    "spec.acme.enableDurationFeature": left("a CA that speaks ACME chooses the life itself"),
    f"{_SOLVER}.selector.dnsNames": TAKEN,
    f"{_SOLVER}.selector.dnsZones": TAKEN,
    f"{_SOLVER}.selector.matchLabels": left("a selector has names and zones only"),
    f"{_SOLVER}.waitInsteadOfSelfCheck": left("the zone's name servers are asked instead"),
    f"{_SOLVER}.http01.ingress": _POD,
    f"{_SOLVER}.http01.gatewayHTTPRoute": _POD,
    **{f"{_SOLVER}.dns01.{name}": TAKEN for name in _DNS},
    **{f"{_SOLVER}.dns01.{name}": rule for name, rule in _DNS_LEFT.items()},
    **{f"spec.vault.{name}": TAKEN for name in _VAULT},
    "spec.vault.serverName": left("the server is verified by the name in its address"),
    "spec.vault.caBundleSecretRef": left(
        "save the Secret's certificate as a file and name it in caBundle"
    ),
    "spec.vault.clientCertSecretRef": left("no client certificate is shown to Vault"),
    "spec.vault.clientKeySecretRef": left("no client certificate is shown to Vault"),
    "spec.vault.auth.clientCertificate": _TOKEN,
    "spec.vault.auth.aws": _TOKEN,
    "spec.ca.secretName": TAKEN,
    "spec.ca.crlDistributionPoints": _CA_SAYS,
    "spec.ca.ocspServers": _CA_SAYS,
    "spec.ca.issuingCertificateURLs": _CA_SAYS,
    "spec.selfSigned": TAKEN,
    "spec.selfSigned.crlDistributionPoints": _CA_SAYS,
    "spec.venafi": _VENAFI,
}
USAGES = {
    **{
        word: word
        for word in (
            "server auth",
            "client auth",
            "code signing",
            "email protection",
            "timestamping",
        )
    },
    "s/mime": "email protection",
}
"""Their words for extended key usages, and ours."""
IMPLIED = frozenset(
    {
        *(
            "signing",
            "digital signature",
            "key encipherment",
            "key agreement",
            "content commitment",
        ),
        *("cert sign", "crl sign", "data encipherment", "encipher only", "decipher only"),
    }
)
"""Key usages: with certform they follow from key and usages."""
_GO = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(h|m|s|ms|us|µs|ns)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def go_duration(text: str | None) -> timedelta | None:
    """Return a duration as Go writes it, `2160h0m0s`; None for anything else."""
    parts = _GO.findall(text or "")
    if not parts or "".join(n + u for n, u in parts) != text:
        return None
    seconds = round(sum(float(number) * _SECONDS[unit] for number, unit in parts))
    return timedelta(seconds=seconds) if 0 < seconds < 10**10 else None


def kind_of_key(survey: Survey) -> KeyType | None:
    """Return the kind of key that is meant; None for one that is not made."""
    written = survey.text("spec", "privateKey", "algorithm") or "RSA"
    size = survey.text("spec", "privateKey", "size")
    try:
        algorithm = Algorithm(written)
    except ValueError:
        return None
    meant = int(size[:6]) if size and size.isdecimal() and algorithm is not Algorithm.ED25519 else 0
    kind = KeyType(algorithm=algorithm, size=meant or SIZES[algorithm][0])
    return kind if kind.size in SIZES[algorithm] else None
