"""Source code that is expensive to compile."""

exec("x = " + "(" * 90 + "1" + ")" * 90)
exec("-" * 100_000 + "1")
