"""Environments: one family a folder, one environment a file; each registers itself."""
