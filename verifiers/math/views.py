"""What an answer may be read as: ``(1, 2)`` is a point and an open interval, ``x = 5`` an equation and a value.

Two answers are the same if any view of the one is the same as a view of equal kind of the other.
"""

from __future__ import annotations

import itertools

from rlvr_gym.verifiers.math.budgets import Fuel, Undefined, Unreadable
from rlvr_gym.verifiers.math.exact import key
from rlvr_gym.verifiers.math.expand import expand
from rlvr_gym.verifiers.math.forms import Builder
from rlvr_gym.verifiers.math.inequalities import region_of, solve
from rlvr_gym.verifiers.math.kinds import (
    Assignment,
    Collection,
    Equation,
    Inequality,
    Infinite,
    Numeral,
    Point,
    Proportion,
    RegionView,
    Residue,
    Scalar,
    Structure,
    Table,
    View,
)
from rlvr_gym.verifiers.math.nodes import (
    Add,
    BaseNum,
    Bracket,
    Call,
    Cases,
    Const,
    Div,
    Func,
    Listing,
    Matrix,
    Mul,
    NamedSet,
    Neg,
    Node,
    Num,
    Pow,
    Quantity,
    Ratio,
    Relation,
    SetBuilder,
    SetOp,
    Sym,
    Words,
    symbols,
)
from rlvr_gym.verifiers.math.regions import union

__all__ = ["same_name", "views"]


def views(node: Node, fuel: Fuel) -> list[View]:
    """The views of a node; at least one.

    Raises:
        TooComplex: see there.
    """
    if isinstance(node, Relation):
        return _relation_views(node, fuel)
    if isinstance(node, Listing):
        return _listing_views(node, fuel)
    if isinstance(node, Bracket):
        return _bracket_views(node, fuel)
    if isinstance(node, NamedSet | SetOp | SetBuilder):
        return _set_views(node, fuel)
    if isinstance(node, Matrix):
        return _matrix_views(node)
    if isinstance(node, Cases):
        return _cases_views(node, fuel)
    return _value_views(node)


def _value_views(node: Node) -> list[View]:
    if isinstance(node, BaseNum):
        return [Numeral(node.digits, node.base)]
    if isinstance(node, Func) and node.name == "residue":
        return [Residue(node.args[0], node.args[1]), Scalar(node.args[0], name=f"mod {node.args[1]}")]
    if isinstance(node, Ratio):
        found: list[View] = [Proportion(node.items)]
        return [*found, Scalar(Div(*node.items))] if len(node.items) == 2 else found
    if node == Const("infinity"):
        return [Infinite(1)]
    if isinstance(node, Neg) and node.arg == Const("infinity"):
        return [Infinite(-1)]
    matrix = _matrix_value(node)
    if matrix is not None:
        return _matrix_views(matrix)
    values = expand(node)
    if len(values) > 1:
        return [Collection(tuple(values), False)]
    if isinstance(node, Quantity):
        return [Scalar(node.value, node.unit)]
    return [Scalar(node)]


def _bracket_views(node: Bracket, fuel: Fuel) -> list[View]:
    items = node.items
    if node.left == "\\{":
        if any(isinstance(item, Relation) for item in items):
            return _listing_views(Listing(items, ","), fuel) if len(items) > 1 else views(items[0], fuel)
        values = tuple(value for item in items for value in expand(item))
        found: list[View] = [Collection(values, True), *_region_views(node, fuel)]
        return [*found, *views(items[0], fuel)] if len(values) == 1 else found
    if node.left == "[" and all(isinstance(i, Bracket) and i.left == "[" for i in items):
        rows = tuple(i.items for i in items if isinstance(i, Bracket))
        if len({len(row) for row in rows}) == 1:
            return [Table(rows)]
    found = []
    if (node.left, node.right) in (("(", ")"), ("[", "]"), ("<", ">")):
        found.append(Point(items, "[" if node.left == "[" else "("))
    if len(items) == 2:
        found += _region_views(node, fuel)
    return found or [Structure(node)]


def _region_views(node: Node, fuel: Fuel) -> list[View]:
    try:
        return [RegionView(region_of(node, fuel))]
    except (Unreadable, Undefined):
        return []


def _set_views(node: Node, fuel: Fuel) -> list[View]:
    found: list[View] = _region_views(node, fuel)
    if node == NamedSet("empty"):
        found.append(Collection((), True))
    return [*found, Structure(node)]


def _matrix_value(node: Node) -> Matrix | None:
    """A matrix that is written as a multiple or a transpose of one."""
    if isinstance(node, Mul) and sum(isinstance(arg, Matrix) for arg in node.args) == 1:
        scale = tuple(arg for arg in node.args if not isinstance(arg, Matrix))
        (matrix,) = (arg for arg in node.args if isinstance(arg, Matrix))
        return Matrix(tuple(tuple(Mul((*scale, entry)) for entry in row) for row in matrix.rows))
    if isinstance(node, Pow) and node.exponent == Sym("T"):
        base = node.base
        if isinstance(base, Bracket):
            base = Matrix((base.items,))
        if isinstance(base, Matrix):
            return Matrix(tuple(zip(*base.rows, strict=True)))
    return None


def _matrix_views(node: Matrix) -> list[View]:
    found: list[View] = [Table(node.rows)]
    if len(node.rows) == 1:
        found.append(Point(node.rows[0], "row"))
    elif len(node.rows[0]) == 1:
        found.append(Point(tuple(row[0] for row in node.rows), "column"))
    return found


def _cases_views(node: Cases, fuel: Fuel) -> list[View]:
    if len(node.rows) > 1 and all(len(row) == 1 and isinstance(row[0], Relation) for row in node.rows):
        return _listing_views(Listing(tuple(row[0] for row in node.rows), ","), fuel)
    return [Collection(tuple(Listing(row, ",") if len(row) > 1 else row[0] for row in node.rows), False)]


# -- relations ---------------------------------------------------------------------------------------------------


def _relation_views(node: Relation, fuel: Fuel) -> list[View]:
    found: list[View] = []
    if node.ops[-1] == "equiv" and len(node.ops) == 1:
        return views(node.operands[1], fuel)
    if all(op in ("=", "approx", "to") for op in node.ops):
        return _equation_views(node, fuel)
    solved = solve(node, fuel)
    if solved is not None:
        found.append(RegionView(*solved))
        right = node.operands[-1]
        if node.ops == ("in",) and isinstance(right, Bracket) and right.left == "\\{":
            found += [_named(view, solved[1]) for view in views(right, fuel)]
    elif node.ops in (("<",), ("<=",), (">",), (">=",)):
        left, right = node.operands
        strict = node.ops[0] in ("<", ">")
        found.append(
            Inequality(left, right, strict) if node.ops[0][0] == ">" else Inequality(right, left, strict)
        )
    elif node.ops == ("in",) and isinstance(node.operands[0], Sym | Bracket):
        return views(node.operands[1], fuel)
    return [*found, Structure(node)]


def _equation_views(node: Relation, fuel: Fuel) -> list[View]:
    found: list[View] = []
    left, right = node.operands[0], node.operands[-1]
    if isinstance(right, Sym) and not symbols(left):
        left, right = right, left
    name = _name(left, fuel)
    if name is not None:
        found += [_named(view, name) for view in views(right, fuel)]
    elif not symbols(node) and not isinstance(left, Bracket) and _holds(node, fuel):
        found += views(right, fuel)
    if len(node.operands) == 2:
        found.append(Equation(left, right))
    return found or [Structure(node)]


def _named(view: View, name: str) -> View:
    if isinstance(view, Scalar):
        return Scalar(view.node, view.unit, name)
    if isinstance(view, Collection):
        return Collection(view.items, view.is_set, name)
    return view


def _name(node: Node, fuel: Fuel) -> str | None:
    """What the left side calls the value of the right; None for an equation to be solved, like ``2x = 10``.

    A name that starts with ``?`` is an expression, like ``a + b`` in ``a + b = 7``; with ``??`` one in the
    coordinates x, y, z, which may be a curve: see :func:`same_name`.
    """
    if isinstance(node, Sym | Call):
        return node.name if isinstance(node, Sym) else "f()"
    if isinstance(node, Words):
        return ""
    if isinstance(node, Bracket):
        return "" if all(isinstance(item, Sym) for item in node.items) else None
    names = symbols(node)
    if not names:
        return None
    if isinstance(node, Div) and all(
        isinstance(part, Mul) and part.args[0] == Sym("d") for part in (node.above, node.below)
    ):
        return ""  # dy/dx
    try:
        form = Builder(fuel).form(node)
    except (Unreadable, Undefined):
        return None
    atoms = {atom for mono in form.above for atom, _ in mono}
    if len(names) == 1 and not any(atom[0] in "~^" for atom in atoms):
        return None
    return ("??" if names & {"x", "y", "z"} else "?") + key(form)


def same_name(gold: str, answer: str) -> bool:
    """Whether two left sides may name the same thing.

    No name goes with any; ``y`` and ``f(x)`` with each other. A reference ``x^2 + y^2 = 25`` is a curve, and ``25``
    is not enough for it; but for the reference 25 that equation will do.
    """
    if not answer or not gold:
        return not gold.startswith("??")
    return gold == answer or {gold, answer} <= {"y", "f()"}


def _holds(node: Relation, fuel: Fuel) -> bool:
    """Whether a chain of equations between numbers is true, as far as exact algebra tells."""
    builder = Builder(fuel)
    try:
        forms = [builder.form(operand) for operand in node.operands]
        return all(builder.equal(a, b) for a, b in itertools.pairwise(forms))
    except (Unreadable, Undefined):
        return False


# -- lists -------------------------------------------------------------------------------------------------------


def _listing_views(node: Listing, fuel: Fuel) -> list[View]:
    found: list[View] = []
    compound = _compound_quantity(node)
    if compound is not None:
        return [compound]
    solved = solve(node, fuel) if any(_is_inequality(item) for item in node.items) else None
    if solved is not None:
        return [RegionView(*solved)]
    named = [_assigned(item) for item in node.items]
    names = [pair[0] for pair in named if pair is not None]
    if len(names) == len(node.items) and len(set(names)) == len(names):
        pairs = tuple(sorted((pair for pair in named if pair is not None), key=lambda pair: pair[0]))
        found.append(Assignment(pairs))
        if node.word != "or":
            found.append(Point(tuple(value for _, value in pairs), "("))
        if len({name.partition("_")[0] for name in names}) > 1:
            return found
    values = _listed_values(node, named)
    if values is None:
        return found or [Collection(node.items, False)]
    items, name = values
    found.append(Collection(items, False, name))
    if node.word == "," and not name:
        found.append(Point(items, ""))
    return found + _union_views(items, fuel)


def _compound_quantity(node: Listing) -> Scalar | None:
    """``2 hours and 30 minutes`` is one quantity."""
    if node.word != "and" or len(node.items) != 2:
        return None
    first, second = node.items
    if not isinstance(first, Quantity) or not isinstance(second, Quantity) or not first.unit.dimension:
        return None
    if first.unit.dimension != second.unit.dimension or first.unit.factor <= second.unit.factor:
        return None
    share = Num(second.unit.factor / first.unit.factor)
    return Scalar(Add((first.value, Mul((second.value, share)))), first.unit)


def _is_inequality(node: Node) -> bool:
    return isinstance(node, Relation) and any(op not in ("=", "approx") for op in node.ops)


def _assigned(node: Node) -> tuple[str, Node] | None:
    """``x = 5`` as a pair."""
    if not isinstance(node, Relation) or node.ops[0] not in ("=", "approx"):
        return None
    left = node.operands[0]
    return (left.name, node.operands[-1]) if isinstance(left, Sym) else None


def _listed_values(
    node: Listing, named: list[tuple[str, Node] | None]
) -> tuple[tuple[Node, ...], str] | None:
    """The values of ``1, -2``, of ``x = 1, -2``, of ``x = 1 or x = -2``; None where they belong to several names."""
    values: list[Node] = []
    names = {pair[0].partition("_")[0] for pair in named if pair is not None}
    if len(names) > 1:
        return None
    for item, pair in zip(node.items, named, strict=True):
        if pair is not None:
            value = pair[1]
        elif isinstance(item, Relation):
            if item.ops != ("=",) or not isinstance(item.operands[0], Bracket):
                return None
            value = item.operands[1]
        else:
            value = item
        values.extend(expand(value))
    return tuple(_same_units(values)), (names.pop() if names else "")


def _same_units(values: list[Node]) -> list[Node]:
    """``3, 4 cm``: a unit after the last number belongs to all."""
    last = values[-1]
    if isinstance(last, Quantity) and all(isinstance(value, Num) for value in values[:-1]):
        return [*(Quantity(value, last.unit) for value in values[:-1]), last]
    return values


def _union_views(items: tuple[Node, ...], fuel: Fuel) -> list[View]:
    """Intervals in a row are their union."""
    if not all(isinstance(item, Bracket | SetOp) for item in items):
        return []
    try:
        return [RegionView(union([region_of(item, fuel) for item in items], fuel))]
    except (Unreadable, Undefined):
        return []
