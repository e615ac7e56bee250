"""Functions of whole numbers."""

# ruff: noqa: D205 - a docstring here is the statement that the policy reads, and may run over the first line

from __future__ import annotations

from rlvr_gym.envs.code._specs.base import spec
from rlvr_gym.envs.code._specs.inputs import ANY_INTS, integer, ints


@spec(integer(0, 99_999, 7, 10))
def digit_sum(n: int) -> int:
    """Add up the decimal digits of n, which is not negative."""
    return sum(int(digit) for digit in str(n))


@spec(integer(1, 120, 2, 27))
def collatz_steps(n: int) -> int:
    """Count the steps from n, which is positive, to 1, where a step halves an even number and replaces an odd number x by
    3 * x + 1.
    """
    steps = 0
    while n != 1:
        n = n // 2 if n % 2 == 0 else 3 * n + 1
        steps += 1
    return steps


@spec(integer(0, 200, 1, 2, 3, 4, 49, 121))
def is_prime(n: int) -> bool:
    """Tell whether n, which is not negative, is a prime number."""
    if n < 2:
        return False
    return all(n % divisor for divisor in range(2, int(n**0.5) + 1))


@spec(integer(1, 999, 2, 64, 97, 360))
def prime_factors(n: int) -> list[int]:
    """List the prime factors of n, which is positive, in ascending order, each as often as it divides n; none for 1."""
    factors = []
    divisor = 2
    while n > 1:
        while n % divisor == 0:
            factors.append(divisor)
            n //= divisor
        divisor += 1
    return factors


@spec(integer(1, 300, 2, 36, 97))
def count_divisors(n: int) -> int:
    """Count the positive divisors of n, which is positive."""
    return sum(n % divisor == 0 for divisor in range(1, n + 1))


@spec(integer(0, 5_000, 1, 9), base=range(2, 10))
def in_base(n: int, *, base: int) -> str:
    """Write n, which is not negative, in base {base}."""
    if n == 0:
        return "0"
    digits = ""
    while n > 0:
        digits = str(n % base) + digits
        n //= base
    return digits


@spec(ANY_INTS)
def common_divisor(numbers: list[int]) -> int:
    """Give the greatest number that divides all of the numbers; 0 if there are none or all are 0."""
    divisor = 0
    for number in numbers:
        a, b = divisor, abs(number)
        while b:
            a, b = b, a % b
        divisor = a
    return divisor


@spec(integer(1, 500, 6, 12, 28))
def abundance(n: int) -> int:
    """Give the sum of the divisors of n, which is positive, that are smaller than n, minus n."""
    return sum(divisor for divisor in range(1, n) if n % divisor == 0) - n


@spec(integer(0, 10**7, 9, 10, 99))
def digital_root(n: int) -> int:
    """Replace n, which is not negative, by the sum of its decimal digits, again and again until it has one digit."""
    while n > 9:
        n = sum(int(digit) for digit in str(n))
    return n


@spec(integer(-99_999, 99_999, 0, -120, 100))
def reverse_digits(n: int) -> int:
    """Reverse the decimal digits of n and keep its sign; leading zeros of the result vanish: -120 gives -21."""
    flipped = int(str(abs(n))[::-1])
    return -flipped if n < 0 else flipped


@spec(integer(1, 3_999, 4, 9, 40, 444))
def to_roman(n: int) -> str:
    """Write n, from 1 to 3999, in Roman numerals, with the subtractive forms IV, IX, XL, XC, CD and CM."""
    values = [1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1]
    symbols = ["M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I"]
    written = ""
    for value, symbol in zip(values, symbols, strict=True):
        while n >= value:
            written += symbol
            n -= value
    return written


@spec(integer(0, 300, 1), first=range(2, 5), second=range(5, 9))
def sum_of_multiples(n: int, *, first: int, second: int) -> int:
    """Add up the positive numbers below n that are divisible by {first} or by {second}."""
    return sum(k for k in range(1, n) if k % first == 0 or k % second == 0)


@spec(integer(1, 200, 4, 7, 19))
def is_happy(n: int) -> bool:
    """Replace n, which is positive, by the sum of the squares of its decimal digits, again and again. Tell whether this
    reaches 1.
    """
    seen = set()
    while n != 1 and n not in seen:
        seen.add(n)
        n = sum(int(digit) ** 2 for digit in str(n))
    return n == 1


@spec(integer(0, 60, 1, 2), modulus=range(7, 60))
def fibonacci_mod(n: int, *, modulus: int) -> int:
    """Give the remainder of the n-th Fibonacci number divided by {modulus}, where number 0 is 0 and number 1 is 1."""
    a, b = 0, 1
    for _ in range(n):
        a, b = b, (a + b) % modulus
    return a


@spec(ints(0, 1, 10))
def from_binary(bits: list[int]) -> int:
    """Give the number whose binary digits, the most significant first, are in the list; 0 for the empty list."""
    value = 0
    for bit in bits:
        value = 2 * value + bit
    return value


@spec(ints(0, 9, 8))
def add_one(digits: list[int]) -> list[int]:
    """The list holds the decimal digits of a number, the most significant first; add 1 to the number and give its digits
    again. All digits are kept, leading zeros as well; the list grows only if the number needs one more digit, and the
    empty list gives [1].
    """
    result = list(digits)
    position = len(result) - 1
    while position >= 0:
        if result[position] < 9:
            result[position] += 1
            return result
        result[position] = 0
        position -= 1
    return [1, *result]
