"""Exact algebra without SymPy: rational functions over Q in symbols, radicals, π, e, i and opaque atoms.

A form is a quotient of two polynomials. A polynomial maps monomials to Fractions; a monomial is a sorted tuple of
``(atom, exponent)``. Atoms are strings; the first character tells their kind:

=========  ==================================================================================
``#2``     a prime, with an exponent in [0, 1): the whole part moves into the coefficient
``@pi``    π, ``@e`` e, ``@i`` i (exponents 0 and 1)
``^b|m``   b to the power of the monomial m; its exponent is m's coefficient
``~...``   opaque: known only to be equal to itself
otherwise  a symbol; exponents are any rational
=========  ==================================================================================

Equal forms are equal expressions. Different forms are different expressions if every atom is a symbol, a prime
radical, i, and not both of π and e (square-free radicals are independent over Q: Besicovitch 1940); otherwise the
question is left open for :mod:`numeric`.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import NamedTuple

from rlvr_gym.verifiers.math.budgets import MAX_BITS, MAX_EXPONENT, MAX_TERMS, Fuel, TooComplex, Undefined

__all__ = ["ONE", "ZERO", "Algebra", "Form", "Mono", "Poly", "as_rational", "is_independent", "key", "number"]

Mono = tuple[tuple[str, Fraction], ...]
Poly = dict[Mono, Fraction]

_0, _1 = Fraction(0), Fraction(1)
_MAX_FACTORED_BITS = 2048


class Form(NamedTuple):
    """``above / below``; ``below`` is None for 1 and never the zero polynomial."""

    above: Poly
    below: Poly | None = None


ZERO, ONE = Form({}), Form({(): _1})


def number(value: Fraction | int) -> Form:
    """A rational number."""
    return Form({(): Fraction(value)} if value else {})


def as_rational(form: Form) -> Fraction | None:
    """The rational number that a form is, or None."""
    if form.below is not None:
        return None
    if not form.above:
        return _0
    return form.above.get(()) if len(form.above) == 1 else None


def is_independent(poly: Poly) -> bool:
    """Whether a polynomial that is not the zero polynomial is certainly not zero as an expression."""
    atoms = {atom for mono in poly for atom, _ in mono}
    if "@pi" in atoms and "@e" in atoms:
        return False
    return not any(a[0] in "~^" for a in atoms) and not any(
        a[0] == "#" and e >= 1 for mono in poly for a, e in mono
    )


def key(form: Form) -> str:
    """The same text for the same form."""
    text = _poly_key(form.above)
    return text if form.below is None else f"({text})/({_poly_key(form.below)})"


def _poly_key(poly: Poly) -> str:
    # hexadecimal, because Python limits how many decimal digits it prints
    return "+".join(f"{c.numerator:x}/{c.denominator:x}*{mono_key(m)}" for m, c in sorted(poly.items()))


def mono_key(mono: Mono) -> str:
    """The same text for the same monomial."""
    return "*".join(f"{a}^{e}" for a, e in mono)


def _reduce(powers: dict[str, Fraction]) -> tuple[Mono, Fraction]:
    """Moves whole powers of primes and of i*i into the coefficient."""
    coefficient = _1
    rest: list[tuple[str, Fraction]] = []
    for atom, exponent in sorted(powers.items()):
        if not exponent:
            continue
        if atom[0] == "#":
            whole = math.floor(exponent)
            prime = int(atom[1:])
            if whole and prime.bit_length() * abs(whole) <= MAX_BITS:
                coefficient *= Fraction(prime) ** whole
                exponent -= whole
        elif atom == "@i":
            turns = int(exponent) % 4
            coefficient = -coefficient if turns >= 2 else coefficient
            exponent = Fraction(turns % 2)
        if exponent:
            rest.append((atom, exponent))
    return tuple(rest), coefficient


def _times(a: Mono, b: Mono) -> tuple[Mono, Fraction]:
    if not a or not b:
        return a or b, _1
    powers = dict(a)
    for atom, exponent in b:
        powers[atom] = powers.get(atom, _0) + exponent
    return _reduce(powers)


class Algebra:
    """Arithmetic on forms; every step burns fuel."""

    def __init__(self, fuel: Fuel) -> None:
        self.fuel = fuel

    def add(self, a: Form, b: Form) -> Form:
        """``a + b``."""
        if a.below is None and b.below is None:
            return Form(self._padd(a.above, b.above))
        if a.below == b.below:
            return self._form(self._padd(a.above, b.above), a.below)
        left, right = a.below or ONE.above, b.below or ONE.above
        above = self._padd(self._pmul(a.above, right), self._pmul(b.above, left))
        return self._form(above, self._pmul(left, right))

    def negate(self, a: Form) -> Form:
        """``-a``."""
        return Form({m: -c for m, c in a.above.items()}, a.below)

    def multiply(self, a: Form, b: Form) -> Form:
        """``a b``."""
        above = self._pmul(a.above, b.above)
        if a.below is None and b.below is None:
            return Form(above)
        return self._form(above, self._pmul(a.below or ONE.above, b.below or ONE.above))

    def divide(self, a: Form, b: Form) -> Form:
        """``a / b``.

        Raises:
            Undefined: if ``b`` is zero.
        """
        return self.multiply(a, self.invert(b))

    def invert(self, a: Form) -> Form:
        """``1 / a``."""
        if not a.above:
            raise Undefined("a division by zero")
        return self._form(a.below or ONE.above, a.above)

    def equal(self, a: Form, b: Form) -> bool | None:
        """Whether the forms are equal; None where that is open."""
        left = self._pmul(a.above, b.below) if b.below else a.above
        right = self._pmul(b.above, a.below) if a.below else b.above
        if left == right:
            return True
        if len(left) == len(right) == 1:  # powers too large to be written out cancel here
            quotient = self.divide(Form(left), Form(right))
            if quotient.above == ONE.above and quotient.below is None:
                return True
        difference = self._padd(left, {m: -c for m, c in right.items()})
        if not difference:
            return True
        return False if is_independent(difference) else None

    def power(self, base: Form, exponent: int) -> Form:
        """``base ** exponent`` for a whole exponent."""
        if exponent < 0:
            return self.power(self.invert(base), -exponent)
        if base.below is None and len(base.above) == 1:
            return self._monomial_power(base, Fraction(exponent))
        terms = max(len(base.above), len(base.below or ()))
        if exponent > 200 or (terms > 1 and math.comb(exponent + terms - 1, terms - 1) > MAX_TERMS):
            raise TooComplex("a power of a long sum")
        result = ONE
        for bit in bin(exponent)[2:]:
            result = self.multiply(result, result)
            if bit == "1":
                result = self.multiply(result, base)
        return result

    def _monomial_power(self, base: Form, exponent: Fraction) -> Form:
        """A single term with a rational coefficient that is 1 or has a whole exponent."""
        ((mono, coefficient),) = base.above.items()
        if abs(exponent) > MAX_EXPONENT:
            raise TooComplex("a huge exponent")
        powers = {atom: e * exponent for atom, e in mono}
        if exponent.denominator == 1 and _bits(coefficient) * abs(exponent) > MAX_BITS:
            for prime, e in self.prime_powers(coefficient):
                powers[prime] = powers.get(prime, _0) + e * exponent
            sign = -1 if coefficient < 0 and exponent % 2 else 1
            rest, scale = _reduce(powers)
            return Form({rest: scale * sign})
        rest, scale = _reduce(powers)
        if coefficient != 1:
            scale *= coefficient ** int(exponent)
        self._check(scale)
        return Form({rest: scale})

    def root_power(self, base: Form, exponent: Fraction) -> Form | None:
        """``base ** exponent`` for a fraction; None where it must stay opaque."""
        if exponent.denominator == 1:
            return self.power(base, int(exponent))
        if abs(exponent) > MAX_EXPONENT:
            raise TooComplex("a huge exponent")
        if not base.above:
            if exponent < 0:
                raise Undefined("a negative power of zero")
            return ZERO
        if base.below is not None or len(base.above) != 1:
            return None
        ((mono, coefficient),) = base.above.items()
        atoms = [atom for atom, _ in mono]
        signless = [a for a in atoms if a[0] != "#" and a not in ("@pi", "@e")]
        if signless and (len(mono) > 1 or atoms[0][0] in "@~^" or mono[0][1] != 1):
            return None
        if coefficient < 0 and signless:
            return None
        return self._rooted(mono, coefficient, exponent)

    def _rooted(self, mono: Mono, coefficient: Fraction, exponent: Fraction) -> Form | None:
        powers = {atom: e * exponent for atom, e in mono}
        sign = ONE
        if coefficient < 0:
            if exponent.denominator == 2:
                sign = Form({_reduce({"@i": exponent * 2 % 4})[0]: _reduce({"@i": exponent * 2 % 4})[1]})
            elif exponent.denominator % 2 == 1:  # the real root, as in school
                sign = number(-1 if exponent.numerator % 2 else 1)
            else:
                return None
        for prime, e in self.prime_powers(coefficient):
            powers[prime] = powers.get(prime, _0) + e * exponent
        rest, scale = _reduce(powers)
        self._check(scale)
        return self.multiply(sign, Form({rest: scale}))

    def prime_powers(self, value: Fraction) -> list[tuple[str, int]]:
        """The absolute value as prime atoms; a cofactor without small divisors becomes one opaque positive atom."""
        powers: list[tuple[str, int]] = []
        for part, sign in ((abs(value.numerator), 1), (value.denominator, -1)):
            if part.bit_length() > _MAX_FACTORED_BITS:
                raise TooComplex("a large number to be factored")
            self.fuel.burn(10 + part.bit_length() // 8)
            rest, small = _small_primes(part)
            powers.extend((f"#{prime}", sign * count) for prime, count in small)
            if rest == 1:
                continue
            if rest < 4_000_000:  # no divisor below 2,000: a prime
                powers.append((f"#{rest}", sign))
            else:
                self.fuel.burn(20 + 2 * rest.bit_length())
                powers.extend((atom, sign * e) for atom, e in _perfect_power(rest))
        return powers

    # -- polynomials --------------------------------------------------------------------------------------------

    def _form(self, above: Poly, below: Poly | None) -> Form:
        if below is None or below == ONE.above:
            return Form(above)
        if not below:
            raise Undefined("a division by zero")
        if len(below) > 1:
            return Form(above, below)
        ((mono, coefficient),) = below.items()
        rest, scale = _reduce({atom: -e for atom, e in mono})
        return Form(self._pmul(above, {rest: scale / coefficient}))

    def _padd(self, a: Poly, b: Poly) -> Poly:
        self.fuel.burn(len(a) + len(b))
        total = dict(a)
        for mono, coefficient in b.items():
            value = total.get(mono, _0) + coefficient
            if value:
                total[mono] = value
            else:
                total.pop(mono, None)
        return total

    def _pmul(self, a: Poly, b: Poly) -> Poly:
        if a == ONE.above:
            return b
        if b == ONE.above:
            return a
        if len(a) * len(b) > 4 * MAX_TERMS:
            raise TooComplex("a long product")
        product: Poly = {}
        for left, x in a.items():
            for right, y in b.items():
                mono, scale = _times(left, right)
                value = x * y if scale == 1 else x * y * scale
                self._check(value)
                value += product.get(mono, _0)
                if value:
                    product[mono] = value
                else:
                    product.pop(mono, None)
        if len(product) > MAX_TERMS:
            raise TooComplex("a long sum")
        return product

    def _check(self, value: Fraction) -> None:
        bits = _bits(value)
        if bits > MAX_BITS:
            raise TooComplex("a large number")
        self.fuel.burn(3 + (bits * bits >> 20))


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


_PRIMES = [p for p in range(2, 2000) if all(p % d for d in range(2, math.isqrt(p) + 1))]


def _small_primes(part: int) -> tuple[int, list[tuple[int, int]]]:
    """What is left of a number without its primes below 2,000, and those with their powers."""
    powers = []
    for prime in _PRIMES:
        if prime * prime > part:
            break
        count = 0
        while part % prime == 0:
            part //= prime
            count += 1
        if count:
            powers.append((prime, count))
    return part, powers


def _perfect_power(value: int) -> list[tuple[str, int]]:
    for exponent in (2, 3, 5, 7):
        root = _integer_root(value, exponent)
        if root**exponent == value:
            if root < 4_000_000:
                return [(f"#{root}", exponent)]
            return [(atom, e * exponent) for atom, e in _perfect_power(root)]
    return [(f"~{value}", 1)]


def _integer_root(value: int, degree: int) -> int:
    if degree == 2:
        return math.isqrt(value)
    low, high = 1, 1 << -(-value.bit_length() // degree)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**degree <= value else (low, middle - 1)
    return low
