"""The bugs that can be planted into a module: small changes of its syntax tree, each of one place.

Left alone are texts, what checks itself (`assert`), what only costs time (steps, caches), how a value prints itself,
and what runs when a module is imported.
"""

import ast
from collections.abc import Iterable, Iterator
from copy import copy
from hashlib import sha256
from typing import NamedTuple

_TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_OTHER_CALL = {"any": "all", "all": "any", "min": "max", "max": "min"}
_PAIRS = (
    ("gained", "lost"),
    ("gains", "loses"),
    ("ALLOW", "DENY"),
    ("allows", "denies"),
    ("allowed", "denied"),
    ("before", "after"),
    ("old", "new"),
    ("live", "desired"),
    ("observed", "desired"),
    ("added", "removed"),
    ("wide", "narrow"),
    ("one", "other"),
    ("mine", "theirs"),
    ("first", "last"),
    ("first", "second"),
    ("start", "end"),
    ("YES", "NO"),
    ("left", "right"),
    ("source", "target"),
    ("seen", "found"),
)
_OPPOSITES = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_LEFT_ALONE = {"spend", "cache_clear", "sort", "printable", "debug", "info", "warning"}
"""Calls that change no answer, but what it costs, the order in which people read it, or how much of a text they see."""
_MOST_SHOWN = 100
_NAMES = ast.Name | ast.Attribute
_PRINTS = {"__repr__", "__str__", "__hash__"}


class Bug(NamedTuple):
    """A change of one place. `where`: the function or constant; `owner`: the outermost function around it.

    `name` is the same wherever the module moves and whatever stands around it.
    """

    file: str
    where: str
    owner: str
    line: int
    operator: str
    before: str
    after: str
    tree: ast.Module
    parent: ast.AST
    field: str
    position: int | None
    new: ast.AST
    root: ast.stmt
    again: int = 0

    @property
    def what(self) -> tuple[str, str, str, str, int]:
        """What its name stands for."""
        return self.where, self.operator, self.before, self.after, self.again

    @property
    def is_constant(self) -> bool:
        """Is it in the value of a constant of its module?"""
        return not isinstance(self.root, ast.FunctionDef)

    @property
    def name(self) -> str:
        """Twelve digits that stand for the function, the operator and the text."""
        text = "\n".join(map(str, self.what))
        return sha256(text.encode()).hexdigest()[:12]

    @property
    def text(self) -> str:
        """What is changed, in a line."""
        before, after = (" ".join(text.split()) for text in (self.before, self.after))
        return f"{self.where}, {self.operator}: {_short(before)} -> {_short(after)}"

    def plant(self) -> ast.Module:
        """The module with the bug; its tree is changed."""
        if self.position is None:
            setattr(self.parent, self.field, self.new)
        else:
            getattr(self.parent, self.field)[self.position] = self.new
        return ast.fix_missing_locations(self.tree)


def bugs(source: str, file: str, at_import: frozenset[str] = frozenset()) -> list[Bug]:
    """All bugs that can be planted into a module; `at_import`: the names that some module uses while it is imported."""
    tree = ast.parse(source)
    found: list[Bug] = []
    counts: dict[tuple[str, ...], int] = {}
    nodes = [*ast.walk(tree)]
    known = {node.id if isinstance(node, ast.Name) else node.attr for node in nodes if isinstance(node, _NAMES)}
    for where, owner, root in _roots(tree, at_import):
        for parent, field, index, child in _places(root):
            instead = [*_instead(child, parent, field, known)]
            text = _text(child) if instead else ""
            for operator, new in instead:
                what = where, operator, text, _text(new)
                again = counts[what] = counts.get(what, -1) + 1
                line = getattr(child, "lineno", 0)
                found.append(Bug(file, where, owner, line, *what[1:], tree, parent, field, index, new, root, again))
    return found


def names_at_import(source: str) -> frozenset[str]:
    """What a module reads while it is imported: outside its functions, and in the defaults of their parameters."""
    found: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(source)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        inside = [] if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else node.body
        waiting += [child for child in ast.iter_child_nodes(node) if not any(child is one for one in inside)]
    return frozenset(found)


def _short(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _text(node: ast.AST) -> str:
    match node:
        case ast.ExceptHandler(type=kind, body=[first, *_]):
            return f"except {'' if kind is None else ast.unparse(kind)}: {ast.unparse(first)}"
        case _:
            return ast.unparse(node)


type _Root = tuple[str, str, ast.FunctionDef | ast.Assign | ast.AnnAssign]


def _roots(tree: ast.Module, at_import: frozenset[str]) -> Iterator[_Root]:
    """Each function, and each constant that is read nowhere while modules are imported."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name), value=ast.expr()):
                if name not in at_import and not name.startswith("__"):
                    yield name, name, node
            case _:
                yield from _functions(node, "", "")


def _functions(node: ast.stmt, around: str, owner: str) -> Iterator[_Root]:
    match node:
        case ast.ClassDef(name=name, body=body) if not owner:
            for one in body:
                yield from _functions(one, f"{around}{name}.", owner)
        case ast.FunctionDef(name=name, body=body) if name not in _PRINTS:
            where = around + name
            yield where, owner or where, node
            for inside in ast.walk(ast.Module(body, [])):
                if isinstance(inside, ast.FunctionDef):
                    yield f"{where}.{inside.name}", owner or where, inside


type _Place = tuple[ast.AST, str, int | None, ast.AST]


def _places(root: ast.AST) -> Iterator[_Place]:
    """Every node of a function's body or a constant's value, with where it hangs; not those of functions inside."""
    inside = "body" if isinstance(root, ast.FunctionDef) else "value"
    waiting = [place for place in _children(root) if place[1] == inside][::-1]
    while waiting:
        place = waiting.pop()
        child = place[-1]
        yield place
        match child:
            case (
                ast.FunctionDef()
                | ast.ClassDef()
                | ast.JoinedStr()
                | ast.Assert()
                | ast.Raise()
                | ast.Import()
                | ast.ImportFrom()
            ):
                continue
            case ast.Call(func=ast.Name(id="isinstance" | "cast")):
                continue
            case ast.Call(func=function) if _is_left_alone(function):
                continue
            case _:
                waiting += [one for one in _children(child) if one[1] not in ("annotation", "ctx", "slice")][::-1]


def _children(node: ast.AST) -> Iterator[_Place]:
    for field, value in ast.iter_fields(node):
        if isinstance(value, ast.AST):
            yield node, field, None, value
        elif isinstance(value, list):
            yield from ((node, field, index, one) for index, one in enumerate(value) if isinstance(one, ast.AST))


type _New = tuple[str, ast.AST]


def _instead(node: ast.AST, parent: ast.AST, field: str, known: set[str]) -> Iterator[_New]:
    """What may stand in a node's place."""
    if field == "test" and isinstance(parent, ast.If | ast.IfExp):
        yield from (("condition forced", ast.Constant(value)) for value in (True, False))
    elif field == "ifs":
        yield from (("filter forced", ast.Constant(value)) for value in (True, False))
    elif field == "guard":
        yield "guard dropped", ast.Constant(True)
    elif field == "value" and isinstance(parent, ast.Return):
        yield from _returned(node)
    match node:
        case ast.stmt():
            yield from _statement(node)
        case ast.pattern() | ast.ExceptHandler():
            yield from _branch(node)
        case ast.Name() | ast.Attribute():
            yield from _opposite(node, known)
        case ast.expr():
            yield from _expression(node, parent, field)


def _returned(node: ast.AST) -> Iterator[_New]:
    match node:
        case ast.Constant(value=True | False as value):
            yield "answer turned", ast.Constant(not value)
        case ast.List(elts=[_, *_]) | ast.ListComp():
            yield "nothing returned", ast.List([], ast.Load())
        case ast.Set() | ast.SetComp():
            yield "nothing returned", ast.Call(ast.Name("set", ast.Load()), [], [])
        case ast.Dict(keys=[_, *_]) | ast.DictComp():
            yield "nothing returned", ast.Dict([], [])
        case ast.Call(
            func=ast.Name(id="tuple" | "frozenset" | "sorted" | "list" | "dict" | "set" as kind), args=[_, *_]
        ):
            kind = "list" if kind == "sorted" else kind
            yield "nothing returned", ast.Call(ast.Name(kind, ast.Load()), [], [])


def _statement(node: ast.stmt) -> Iterator[_New]:
    match node:
        case ast.Expr(value=ast.Call(func=function)) if not _is_left_alone(function):
            yield "statement dropped", ast.Pass()
        case ast.AugAssign() | ast.Raise() | ast.Continue() | ast.Break():
            yield "statement dropped", ast.Pass()


def _is_left_alone(function: ast.expr) -> bool:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name in _LEFT_ALONE
        case _:
            return False


def _branch(node: ast.pattern | ast.ExceptHandler) -> Iterator[_New]:
    match node:
        case ast.MatchOr(patterns=patterns):
            for left in _one_less(patterns):
                yield "pattern dropped", left[0] if len(left) == 1 else ast.MatchOr(left)
        case ast.ExceptHandler(body=[ast.Raise()]):
            return
        case ast.ExceptHandler():
            narrow = copy(node)
            narrow.body = [ast.Raise()]
            yield "error not handled", narrow


def _opposite(node: ast.Name | ast.Attribute, known: set[str]) -> Iterator[_New]:
    match node:
        case ast.Name(id=name, ctx=ast.Load()) if (other := _OPPOSITES.get(name)) in known and other is not None:
            yield "opposite", ast.Name(other, ast.Load())
        case ast.Attribute(attr=name, ctx=ast.Load()) if (other := _OPPOSITES.get(name)) in known and other is not None:
            yield "opposite", ast.Attribute(node.value, other, ast.Load())


def _expression(node: ast.expr, parent: ast.AST, field: str) -> Iterator[_New]:
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            yield "comparison turned", ast.Compare(left, [_TURNED[type(operator)]()], [right])
        case ast.BoolOp(op=operator, values=values):
            yield "and, or", ast.BoolOp(ast.Or() if isinstance(operator, ast.And) else ast.And(), values)
            for less in _one_less(values):
                yield "operand dropped", less[0] if len(less) == 1 else ast.BoolOp(operator, less)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not dropped", operand
        case ast.BinOp():
            yield from _operation(node)
        case ast.Call(func=ast.Name(id="any" | "all" | "min" | "max" as name)):
            other = copy(node)
            other.func = ast.Name(_OTHER_CALL[name], ast.Load())
            yield "other call", other
        case ast.Constant(value=bool() as flag) if isinstance(parent, ast.keyword):
            yield "flag turned", ast.Constant(not flag)
        case ast.Constant(value=int() as number) if not isinstance(node.value, bool):
            yield from (("number changed", ast.Constant(number + by)) for by in (1, -1) if number + by >= 0)
        case ast.Set(elts=[_, _, *_] as values) | ast.List(elts=[_, _, *_] as values, ctx=ast.Load()):
            yield from (("element dropped", type(node)(elts=left)) for left in _one_less(values))
        case ast.Tuple(elts=[_, _, *_] as values, ctx=ast.Load()) if _is_a_choice(parent, field):
            yield from (("element dropped", ast.Tuple(left, ast.Load())) for left in _one_less(values))
        case ast.Dict(keys=[_, _, *_] as keys, values=values):
            for kept in _one_less([*zip(keys, values, strict=True)]):
                yield "element dropped", ast.Dict([key for key, _ in kept], [value for _, value in kept])


def _is_a_choice(parent: ast.AST, field: str) -> bool:
    """Is a tuple there a list of values, not a record of so many?"""
    match parent:
        case ast.Compare(ops=[ast.In() | ast.NotIn()]):
            return field == "comparators"
        case ast.ExceptHandler() | ast.Assign(targets=[ast.Name()]) | ast.AnnAssign():
            return True
        case ast.For() | ast.comprehension():
            return field == "iter"
        case _:
            return False


def _operation(node: ast.BinOp) -> Iterator[_New]:
    if any(isinstance(one, ast.JoinedStr | ast.Constant) for one in (node.left, node.right)):
        return
    match node.op:
        case ast.BitOr():
            yield "union, intersection", ast.BinOp(node.left, ast.BitAnd(), node.right)
            yield from (("operand dropped", one) for one in (node.left, node.right))
        case ast.BitAnd():
            yield "union, intersection", ast.BinOp(node.left, ast.BitOr(), node.right)
            yield from (("operand dropped", one) for one in (node.left, node.right))
        case ast.Add():
            yield from (("operand dropped", one) for one in (node.left, node.right))
        case ast.Sub():
            yield "operand dropped", node.left


def _one_less[T](values: list[T]) -> Iterable[list[T]]:
    return ([*values[:index], *values[index + 1 :]] for index in range(len(values)))
