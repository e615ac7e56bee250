"""The command line: one module a command, assembled in :mod:`rlvr_gym.cli.main`."""
