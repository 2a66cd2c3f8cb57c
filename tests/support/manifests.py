"""A cluster's declarations, as `kubectl` would print them: the company that moves away from cert-manager."""

ISSUERS = """\
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata:
  name: letsencrypt
  annotations: {kubectl.kubernetes.io/last-applied-configuration: "{}"}
spec:
  acme:
    server: https://acme-v02.api.letsencrypt.org/directory
    email: certificates@example.com
    profile: classic
    preferredChain: ISRG Root X1
    privateKeySecretRef: {name: letsencrypt-account}
    externalAccountBinding:
      keyID: kid-of-the-test
      keySecretRef: {name: eab, key: secret}
    solvers:
      - http01:
          ingress: {ingressClassName: nginx}
      - selector:
          dnsZones: [example.com]
        dns01:
          cnameStrategy: Follow
          route53: {region: eu-west-1, hostedZoneID: Z0123456789ABCDEFGHIJ}
      - selector:
          dnsNames: [internal.example.net]
          matchLabels: {team: shop}
        dns01:
          rfc2136:
            nameserver: 192.0.2.53
            tsigKeyName: acme
            tsigAlgorithm: HMACSHA512
            tsigSecretSecretRef: {name: tsig, key: secret}
      - selector:
          dnsZones: [example.org]
        dns01:
          webhook: {groupName: acme.example.org, solverName: hetzner, config: {zoneName: example.org}}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: vault, namespace: shop}
spec:
  vault:
    server: https://vault.example.com:8200
    namespace: pki-team
    path: pki_int/sign/web
    caBundle: LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClRFU1QKLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=
    auth:
      appRole:
        path: approle
        roleId: 11111111-2222-3333-4444-555555555555
        secretRef: {name: vault, key: secretId}
---
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: selfsigned}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: mesh, namespace: shop}
spec:
  ca: {secretName: mesh-ca, crlDistributionPoints: ["http://crl.example.com/mesh.crl"]}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: venafi, namespace: shop}
spec:
  venafi:
    zone: DevOps
    cloud: {apiTokenSecretRef: {name: venafi, key: token}}
"""
CERTIFICATES = """\
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
  - apiVersion: cert-manager.io/v1
    kind: Certificate
    metadata: {name: mesh-ca, namespace: shop}
    spec:
      isCA: true
      commonName: Example Mesh CA
      subject: {organizations: [Example Ltd]}
      secretName: mesh-ca
      duration: 43800h
      privateKey: {algorithm: ECDSA, size: 384, rotationPolicy: Never}
      issuerRef: {name: selfsigned, kind: ClusterIssuer}
      nameConstraints:
        critical: true
        permitted: {dnsDomains: [.svc.example.internal], emailAddresses: [root@example.com]}
  - apiVersion: cert-manager.io/v1
    kind: Certificate
    metadata:
      name: shop.example.com
      namespace: shop
      labels: {team: shop, app.kubernetes.io/name: shop}
      uid: 6f1c9a52-0000-4000-8000-000000000000
    spec:
      secretName: shop-tls
      secretTemplate: {labels: {copy: "yes"}}
      issuerRef: {name: letsencrypt, kind: ClusterIssuer}
      commonName: shop.example.com
      dnsNames: [shop.example.com, "*.shop.example.com"]
      uris: ["spiffe://example.com/shop"]
      duration: 2160h0m0s
      renewBefore: 720h
      usages: [digital signature, key encipherment, server auth]
      privateKey: {algorithm: ECDSA, encoding: PKCS8}
      revisionHistoryLimit: 3
      additionalOutputFormats: [{type: CombinedPEM}, {type: DER}]
      keystores:
        jks: {create: true, alias: shop, passwordSecretRef: {name: jks, key: password}}
        pkcs12: {create: false, password: never-shown-in-a-test}
    status: {conditions: [{type: Ready, status: "True"}]}
  - apiVersion: cert-manager.io/v1
    kind: Certificate
    metadata: {name: orders, namespace: shop}
    spec:
      secretName: orders-tls
      issuerRef: {name: mesh}
      subject: {organizations: [Example Ltd], countries: [GB]}
      dnsNames: [orders.svc.example.internal]
      duration: 720h
      renewBeforePercentage: 40
      usages: [server auth, client auth, ipsec tunnel]
      privateKey: {rotationPolicy: Never}
      literalSubject: CN=orders
      otherNames: [{oid: 1.3.6.1.4.1.311.20.2.3, utf8Value: orders@example.com}]
      renewal: {policy: Disabled, windows: [{cron: "0 2 * * *", windowDuration: 2h}]}
  - apiVersion: cert-manager.io/v1
    kind: Certificate
    metadata: {name: orders, namespace: staging}
    spec:
      secretName: orders-tls
      issuerRef: {name: services, kind: AWSPCAClusterIssuer, group: awspca.cert-manager.io}
      dnsNames: [orders.staging.example.com, "not a name"]
  - apiVersion: cert-manager.io/v1
    kind: Certificate
    metadata: {name: api, namespace: shop}
    spec:
      secretName: api-tls
      issuerRef: {name: vault}
      dnsNames: [api.example.com]
      ipAddresses: [192.0.2.1]
      duration: 240h
  - apiVersion: v1
    kind: Secret
    metadata: {name: jks}
    data: {password: bmV2ZXItc2hvd24taW4tYS10ZXN0}
"""
