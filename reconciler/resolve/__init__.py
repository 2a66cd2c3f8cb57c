"""From documents to what is desired: profiles, sets, references, defaults, checks. Pure."""
