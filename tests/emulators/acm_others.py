"""Certificates put into the emulated ACM by others than certform, in bulk too."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from acm_certificates import Certificate, Parsed
from aws_emulator import AwsEmulator

from providers.base import Bundle


@dataclass(frozen=True)
class Others:
    """Somebody else with access to the account."""

    aws: AwsEmulator
    region: str = "eu-west-1"

    def put(self, bundle: Bundle, tags: Mapping[str, str] | None = None) -> Certificate:
        """Import a certificate by hand."""
        chain = b"".join(bundle.chain) or None
        parsed, store = Parsed(bundle.certificate), self.aws.store(self.region)
        return store.put_imported(parsed, chain, tags or {}, self.aws.acm.now())

    def put_all(self, bundles: Iterable[Bundle], tags: Mapping[str, str]) -> list[Certificate]:
        return [self.put(bundle, tags) for bundle in bundles]

    def put_requested(self, *names: str) -> Certificate:
        """Ask Amazon for a certificate by hand."""
        store = self.aws.store(self.region)
        return store.put(
            Certificate(
                arn=store.new_arn(),
                type="AMAZON_ISSUED",
                created_at=self.aws.acm.now(),
                names=names,
                status="PENDING_VALIDATION",
            )
        )

    def reimport(self, arn: str, bundle: Bundle) -> None:
        """Import another certificate into an ARN by hand, which leaves its tags."""
        held = self.aws.store(self.region).get(arn)
        held.parsed, held.chain = Parsed(bundle.certificate), bundle.chain[0]
        held.imported_at = self.aws.acm.now()

    def held(self) -> list[Certificate]:
        """Everything that is there, whatever listings show."""
        return list(self.aws.store(self.region).certificates.values())
