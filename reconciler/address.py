"""Addresses: `authority/root`, `certificate/web`, `certificate/web@acm/eu-west-1`, `...@nginx:old-name`.

What stands in a target has the target after an @, and after a colon the object's own name where that
is not its certificate's. A serial stands after a #, and so does one anchor of a bundle in a target:
`bundle/corp@nginx#root-g1`.
"""


def owner(address: str) -> str:
    """Return the name of what an address belongs to: `web` of `certificate/web@nginx`."""
    return address.partition("/")[2].partition("@")[0].partition("#")[0]


def place(address: str) -> str:
    """Return the target in an address: `nginx` of `certificate/web@nginx`, also where an object is named."""
    return address.partition("@")[2].partition("#")[0].partition(":")[0]


def spot(name: str, target: str, object_name: str, kind: str = "certificate") -> str:
    """Return the address of one object in a target."""
    own = "" if object_name == name else f":{object_name}"
    return f"{kind}/{name}@{target}{own}"


def covers(address: str, other: str) -> bool:
    """Whether who names `address` means `other` too: a certificate its installs, a target its regions."""
    within: tuple[str, ...] = (f"{address}@", f"{address}#")
    if "@" in address or address.startswith("target/"):
        within = (f"{address}/", f"{address}:", f"{address}#")
    return other == address or other.startswith(within)
