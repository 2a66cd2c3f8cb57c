"""Azure: certificates in a Key Vault."""
