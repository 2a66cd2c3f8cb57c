"""Every field of lego's files and of its configuration (v5), and what is known of each.

https://go-acme.github.io/lego/advanced/file-configuration/; the stored files are those of v4 and v5.
"""

from collections.abc import Mapping

from reconciler.importing.notes import TAKEN, Table, left, silent

_STAPLING = left("no certificate with OCSP must-staple is issued: leave stapling to the server")
_URL = silent("where the CA keeps the certificate: the next one has another address")
_PROCESS = silent("how lego itself runs")
_WAIT = left(
    "no pause: the zone's name servers are asked until all have the record (propagation.timeout)"
)
_HOOK = left("certform runs nothing around its asking but `check` and `reload` of a Target")

RESOURCE: Table = {
    **dict.fromkeys(("domain", "domains", "id", "keyType"), TAKEN),
    **dict.fromkeys(("certUrl", "certStableUrl"), _URL),
    "origin": silent("which command asked for it"),
}
"""certificates/NAME.json."""
ACCOUNT: Table = {
    **dict.fromkeys(("email", "server", "id"), TAKEN),
    "keyType": silent("its key says so"),
    "registration": silent("the CA tells it again to whoever has the key"),
}
"""accounts/SERVER/ID/account.json."""
CONFIGURATION: Table = {
    "storage": TAKEN,
    **dict.fromkeys(("networkStack", "userAgent", "log"), _PROCESS),
    "servers.*.url": TAKEN,
    "accounts.*.server": TAKEN,
    "accounts.*.email": TAKEN,
    "accounts.*.keyType": TAKEN,
    "accounts.*.acceptsTermsOfService": silent("whoever makes an account here accepts them"),
    "accounts.*.eab.kid": TAKEN,
    "accounts.*.eab.hmacKey": left("not copied: `certform issuer secrets` asks for hmacKey"),
    "challenges.*.http.address": TAKEN,
    "challenges.*.http.webroot": TAKEN,
    "challenges.*.http.delay": silent("the file is there before the CA is told"),
    "challenges.*.http.proxyHeader": silent("only the path of a request is looked at"),
    "challenges.*.http.memcachedHosts": left("files go to a directory, not to memcached"),
    "challenges.*.http.s3Bucket": left("files go to a directory, not to a bucket"),
    "challenges.*.tls": TAKEN,
    "challenges.*.dnsPersist": TAKEN,
    "challenges.*.dns.provider": TAKEN,
    "challenges.*.dns.envFile": left("not read: credentials are not copied"),
    "challenges.*.dns.propagation": _WAIT,
    "challenges.*.dns.dnsTimeout": silent("how long one query may take"),
    "challenges.*.dns.resolvers": TAKEN,
    **{
        f"certificates.*.{name}": TAKEN
        for name in (
            *("challenge", "account", "keyType", "domains", "preferredChain", "profile"),
            *("renew.reuseKey", "renew.days", "renew.ari.disable"),
        )
    },
    "certificates.*.csr": left("certform makes key and request by itself"),
    "certificates.*.enableCommonName": left("write commonName where a client looks at it"),
    "certificates.*.notBefore": left("a CA that speaks ACME chooses the dates"),
    "certificates.*.notAfter": left("a CA that speaks ACME chooses the dates"),
    "certificates.*.noBundle": silent("cert.pem is the certificate alone, fullchain.pem both"),
    "certificates.*.mustStaple": _STAPLING,
    "certificates.*.alwaysDeactivateAuthorizations": left(
        "authorizations are left as the CA has them"
    ),
    "certificates.*.renew.disableRandomSleep": _PROCESS,
    "certificates.*.renew.ari.waitToRenewDuration": _PROCESS,
    "certificates.*.pfx": left(
        "write keystores.pkcs12 in the entry under targets, its password in a sops file"
    ),
    **dict.fromkeys(("hooks.pre", "hooks.post"), _HOOK),
    "hooks.deploy.command": TAKEN,
    "hooks.deploy.timeout": silent("a Target's commands have a limit of their own"),
    "servers.*.tlsSkipVerify": left("the server's certificate is always verified: write caBundle"),
    **{
        f"servers.*.{name}": _PROCESS
        for name in ("overallRequestLimit", "httpTimeout", "certTimeout")
    },
}
""".lego.yml; a star stands for a name that the user chose, too."""
CODES: Mapping[str, str] = {
    "actalis": "https://acme-api.actalis.com/acme/directory",
    "digicert": "https://one.digicert.com/mpki/api/v1/acme/v2/directory",
    "freessl": "https://acmepro.freessl.cn/v2/DV",
    "globalsign": "https://emea.acme.atlas.globalsign.com/directory",
    "googletrust": "https://dv.acme-v02.api.pki.goog/directory",
    "googletrust-staging": "https://dv.acme-v02.test-api.pki.goog/directory",
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
    "litessl": "https://acme.litessl.com/acme/v2/directory",
    "peeringhub": "https://stica.peeringhub.io/acme",
    "sslcomecc": "https://acme.ssl.com/sslcom-dv-ecc",
    "sslcomrsa": "https://acme.ssl.com/sslcom-dv-rsa",
    "sectigo": "https://acme.sectigo.com/v2/DV",
    "sectigoev": "https://acme.sectigo.com/v2/EV",
    "sectigoov": "https://acme.sectigo.com/v2/OV",
    "zerossl": "https://acme.zerossl.com/v2/DV90",
}
"""What lego calls servers for short."""
