"""A trained CID as one file for programs without torch: written, run in its own runtime, and held against torch."""
