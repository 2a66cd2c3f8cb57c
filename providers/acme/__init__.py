"""CAs that speak ACME (RFC 8555), through the `acme` package."""
