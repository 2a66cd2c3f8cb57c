"""Amazon Web Services: certificates in ACM."""
