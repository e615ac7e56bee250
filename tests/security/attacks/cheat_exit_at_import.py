"""Ends with exit code 0 before the function is even defined."""

import os

os._exit(0)
