"""LightGBM's text models. LightGBM trusts such a file with its memory, so nothing of it gets there unread.

The file is parsed whole: every field known, every count right, every number finite and in its range, every tree a tree
(each node has one parent, numbered below it). What was parsed is then written anew, and only that is loaded. Source of
the format: LightGBM 4.7, `Tree::ToString` and `GBDT::SaveModelToString`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tournament.errors import BadModel, Fault, printable
from tournament.hosted.lightgbm_library import Library
from tournament.hosted.model import Single

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
MAX_FEATURES, MAX_TREES, MAX_LEAVES, MAX_ALL_LEAVES = 20_000, 20_000, 65_536, 2_000_000
MAX_VALUE = 1e300
HINT = "send the file as LightGBM's save_model wrote it"
HEADER = (
    "version", "num_class", "num_tree_per_iteration", "label_index", "max_feature_idx", "objective", "feature_names",
    "feature_infos", "monotone_constraints", "tree_sizes",
)  # fmt: skip
TREE = (
    "num_leaves", "num_cat", "split_feature", "split_gain", "threshold", "decision_type", "left_child", "right_child",
    "leaf_value", "leaf_weight", "leaf_count", "internal_value", "internal_weight", "internal_count", "is_linear",
    "shrinkage",
)  # fmt: skip
OBJECTIVE = re.compile(
    r"(regression|regression_l1|huber|fair|poisson|quantile|mape|gamma|tweedie|binary|cross_entropy|lambdarank"
    r"|rank_xendcg|custom)( sqrt| (sigmoid|alpha|c|fair_c|rho|tweedie_variance_power):[0-9.]{1,20})*"
)
INTS, NUMBERS = re.compile(r"-?[0-9]{1,18}( -?[0-9]{1,18})*"), re.compile(r"[-+0-9.eE]{1,40}( [-+0-9.eE]{1,40})*")
DECISIONS = frozenset(range(0, 12, 2))
"""Bit 1: where missing values go; bits 2 and 3: what counts as missing; bit 0 would be a split by category."""
AVERAGED = "average_output"


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree: inner nodes (length L - 1) and leaves (length L)."""

    feature: Ints
    threshold: Floats
    decision: Ints
    left: Ints
    right: Ints
    leaf: Floats

    def text(self, number: int) -> str:
        """The tree as LightGBM reads it."""
        fields = {
            "num_leaves": str(len(self.leaf)), "num_cat": "0", "split_feature": _joined(self.feature),
            "threshold": _joined(self.threshold), "decision_type": _joined(self.decision),
            "left_child": _joined(self.left), "right_child": _joined(self.right), "leaf_value": _joined(self.leaf),
            "is_linear": "0", "shrinkage": "1",
        }  # fmt: skip
        return f"Tree={number}\n" + "".join(f"{name}={value}\n" for name, value in fields.items()) + "\n\n"


@dataclass(frozen=True, slots=True)
class Forest:
    """A whole model, as parsed."""

    features: tuple[str, ...]
    objective: str
    is_averaged: bool
    trees: tuple[Tree, ...]

    def text(self) -> str:
        """The model written anew, with nothing in it that was not understood."""
        trees = [tree.text(number) for number, tree in enumerate(self.trees)]
        head = [
            "tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", "label_index=0",
            f"max_feature_idx={len(self.features) - 1}", *([f"objective={self.objective}"] if self.objective else []),
            *([AVERAGED] if self.is_averaged else []),
            f"feature_names={' '.join(f'f{place}' for place in range(len(self.features)))}",
            f"feature_infos={' '.join(['none'] * len(self.features))}",
            f"tree_sizes={' '.join(str(len(tree)) for tree in trees)}",
        ]  # fmt: skip
        return "\n".join(head) + "\n\n" + "".join(trees) + "end of trees\n"


class Boosted:
    """A forest in LightGBM's hands."""

    def __init__(self, forest: Forest) -> None:
        self.width = len(forest.features)
        by_place = all(name == f"Column_{place}" for place, name in enumerate(forest.features))
        self.names = () if by_place else forest.features
        self.about = f"LightGBM, {len(forest.trees):,} trees"
        self._library = Library(forest.text().encode())

    def values(self, features_NW: Single) -> Floats:
        """LightGBM's own prediction (N)."""
        return self._library.predict(features_NW)


def read(data: bytes) -> Boosted:
    """The model in the bytes of a text file. Raises BadModel."""
    return Boosted(parse(data))


def parse(data: bytes) -> Forest:
    """Read and check every line up to `end of trees`; what follows is never looked at. Raises BadModel."""
    try:
        lines = iter(data.decode("utf-8").replace("\r\n", "\n").split("\n"))
    except UnicodeDecodeError:
        raise _bad("it is not text in UTF-8") from None
    if next(lines) != "tree":
        raise _bad("it does not begin with the line 'tree'")
    head = _fields(lines, (*HEADER, AVERAGED), "the header")
    features = _header(head)
    trees: list[Tree] = []
    leaves = 0
    while (line := _next_line(lines)) != "end of trees":
        where = f"tree {len(trees)}"
        if line != f"Tree={len(trees)}" or len(trees) == MAX_TREES:
            raise _bad(f"expected {where} (of at most {MAX_TREES:,}), found {printable(line[:40])!r}")
        trees.append(_tree(_fields(lines, TREE, where), len(features), where))
        leaves += len(trees[-1].leaf)
        if leaves > MAX_ALL_LEAVES:
            raise _bad(f"it has more than {MAX_ALL_LEAVES:,} leaves")
    if not trees:
        raise _bad("it has no trees")
    return Forest(features, head.get("objective", ""), AVERAGED in head, tuple(trees))


def _next_line(lines: Iterator[str]) -> str:
    """The next line that is not empty."""
    for line in lines:
        if line:
            return line
    raise _bad("it ends before the line 'end of trees'")


def _fields(lines: Iterator[str], known: tuple[str, ...], where: str) -> dict[str, str]:
    """Lines `name=value` up to an empty one, each name known and given once."""
    found: dict[str, str] = {}
    for line in lines:
        if not line:
            return found
        name, equals, value = line.partition("=")
        if name not in known or (not equals and name != AVERAGED):
            raise _bad(f"{where} has an unknown line {printable(line[:40])!r}")
        if name in found:
            raise _bad(f"{where} gives {name} twice")
        found[name] = value
    raise _bad(f"it ends within {where}")


def _header(head: dict[str, str]) -> tuple[str, ...]:
    """Names of the features, from a header that is in order."""
    for name, wanted in (("version", "v4"), ("num_class", "1"), ("num_tree_per_iteration", "1")):
        if head.get(name) != wanted:
            found = printable(head.get(name, "nothing")[:40])
            raise _bad(f"{name} is {found}, expected {wanted}", "train one regression or ranking with LightGBM 4")
    objective = head.get("objective", "")
    if objective and not OBJECTIVE.fullmatch(objective):
        raise _bad(f"the objective {printable(objective[:60])!r} is not one of those taken")
    last = _ints(head, "max_feature_idx", 1, "the header")[0]
    names = tuple(head.get("feature_names", "").split(" "))
    if not 0 <= last < MAX_FEATURES or len(names) != last + 1:
        raise _bad(f"it names {len(names):,} features where max_feature_idx is {last}")
    if len(set(names)) < len(names) or not all(name and name.isprintable() and len(name) <= 100 for name in names):
        raise _bad("names of features repeat, are empty or cannot be printed")
    return names


def _tree(fields: dict[str, str], features: int, where: str) -> Tree:
    """One tree, checked."""
    leaves = int(_ints(fields, "num_leaves", 1, where)[0])
    if not 1 <= leaves <= MAX_LEAVES:
        raise _bad(f"{where} has {leaves} leaves; 1 to {MAX_LEAVES:,} are taken")
    if _ints(fields, "num_cat", 1, where)[0] or fields.get("is_linear", "0") != "0":
        raise _bad(f"{where} splits by category or is linear", "train plain trees: features are the numbers 0 to 4")
    nodes = leaves - 1
    names = ("split_feature", "decision_type", "left_child", "right_child")
    feature, decision, left, right = (_ints(fields, name, nodes, where) for name in names)
    tree = Tree(
        feature, _numbers(fields, "threshold", nodes, where), decision, left, right,
        _numbers(fields, "leaf_value", leaves, where),
    )  # fmt: skip
    if ((feature < 0) | (feature >= features)).any():
        raise _bad(f"{where} splits on a feature that does not exist (0 to {features - 1} do)")
    if not DECISIONS.issuperset(decision.tolist()):
        raise _bad(f"{where} has a decision_type that no plain split has")
    _refuse_no_tree(tree, where)
    return tree


def _refuse_no_tree(tree: Tree, where: str) -> None:
    """Every inner node but the first and every leaf has one parent, and parents are numbered below their children."""
    nodes, leaves = len(tree.feature), len(tree.leaf)
    parent = np.tile(np.arange(nodes), 2)
    child = np.concatenate([tree.left, tree.right])
    inner = child >= 0
    has_all_nodes = np.array_equal(np.sort(child[inner]), np.arange(1, nodes)) if nodes else True
    has_all_leaves = np.array_equal(np.sort(-1 - child[~inner]), np.arange(leaves)) if nodes else True
    if not has_all_nodes or not has_all_leaves or (child[inner] <= parent[inner]).any():
        raise _bad(f"{where} is no tree: its children form a loop, are missing or are out of range")


def _ints(fields: dict[str, str], name: str, count: int, where: str) -> Ints:
    text = fields.get(name, "")
    if (text and not INTS.fullmatch(text)) or text.count(" ") + bool(text) != count:
        raise _bad(f"{where}: {name} does not hold {count:,} whole numbers")
    return np.array([int(word) for word in text.split()], dtype=np.int64)


def _numbers(fields: dict[str, str], name: str, count: int, where: str) -> Floats:
    text = fields.get(name, "")
    try:
        if (text and not NUMBERS.fullmatch(text)) or text.count(" ") + bool(text) != count:
            raise ValueError
        values = np.array([float(word) for word in text.split()], dtype=np.float64)
    except ValueError:
        raise _bad(f"{where}: {name} does not hold {count:,} finite numbers") from None
    if not (np.abs(values) <= MAX_VALUE).all():
        raise _bad(f"{where}: {name} holds a number beyond {MAX_VALUE:g}")
    return values


def _joined(values: Ints | Floats) -> str:
    return " ".join(map(repr, values.tolist()))


def _bad(message: str, hint: str = HINT) -> BadModel:
    return BadModel(Fault("broken_lightgbm", f"the LightGBM model cannot be taken: {message}", hint))


def prepare() -> None:
    """Load LightGBM and let it answer once."""
    one = np.zeros(1)
    none = np.zeros(0, dtype=np.int64)
    leaf = Tree(none, np.zeros(0), none, none, none, one)
    Boosted(Forest(("a",), "", False, (leaf,))).values(np.zeros((1, 1), np.float32))
