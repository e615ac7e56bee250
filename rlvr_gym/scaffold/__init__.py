"""A third-party package to begin with: ``rlvr-gym init`` writes it."""

from rlvr_gym.scaffold.package import check_name, package_files, write_package

__all__ = ["check_name", "package_files", "write_package"]
