"""The ceremony: what waits for an offline key is carried to it, signed there, and brought back.

`export` reserves in the ledger and writes a request, `sign` is all that the offline machine needs,
`import` believes nothing of an answer that the ledger's own reservations do not say.
"""
