"""The hands: everything that touches a cloud, a CA, a key or a disk; one folder per vendor."""
