"""Google Cloud: certificates in Certificate Manager, and CA keys in Cloud KMS."""
