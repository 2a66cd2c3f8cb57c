"""Certificates in a directory of this host, and the consumer that reads them there."""
