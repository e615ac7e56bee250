"""A regular expression that backtracks for ever."""

import re

re.match(r"(a+)+$", "a" * 60 + "!")
