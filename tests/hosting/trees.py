"""LightGBM texts that were tampered with; its own reader crashes or hangs on most of them."""

from __future__ import annotations

import re

from tests.hosting import files

GOOD = files.booster(*files.drawn()).model_to_string().encode()


def field(name: str, value: str) -> bytes:
    """The good model with another value in the first line of that name."""
    changed = re.sub(rf"^{name}=.*$".encode(), f"{name}={value}".encode(), GOOD, count=1, flags=re.MULTILINE)
    assert changed != GOOD, name
    return changed


def place(name: str, number: int, value: str) -> bytes:
    """The good model with another value at one place of the first line of that name."""
    found = re.search(rf"^{name}=(.*)$".encode(), GOOD, flags=re.MULTILINE)
    assert found is not None
    words = found[1].decode().split(" ")
    return field(name, " ".join([*words[:number], value, *words[number + 1 :]]))


def without(name: str) -> bytes:
    """The good model without the first line of that name."""
    return re.sub(rf"^{name}=.*\n".encode(), b"", GOOD, count=1, flags=re.MULTILINE)


TAMPERED = {
    "left child out of range": place("left_child", 0, "999999"),
    "right child out of range": place("right_child", 0, "999999"),
    "leaf out of range": place("left_child", 1, "-999999"),
    "node is its own child": place("left_child", 0, "0"),
    "child leads back to the root": place("right_child", 2, "0"),
    "node has two parents": place("left_child", 0, "1"),
    "leaf has two parents": place("right_child", 5, "-1"),
    "split on a feature that is not there": place("split_feature", 0, "5"),
    "split on a far feature": place("split_feature", 0, "2147483647"),
    "split on a negative feature": place("split_feature", 0, "-1"),
    "fewer leaves than nodes": field("num_leaves", "2"),
    "a thousand million leaves": field("num_leaves", "1000000000"),
    "negative leaves": field("num_leaves", "-7"),
    "no leaves": field("num_leaves", "0"),
    "leaves beyond a long": field("num_leaves", "9" * 40),
    "splits by category": field("num_cat", "1"),
    "a decision by category": place("decision_type", 0, "1"),
    "a decision of no kind": place("decision_type", 0, "255"),
    "linear leaves": field("is_linear", "1"),
    "threshold is not a number": place("threshold", 0, "nan"),
    "threshold is infinite": place("threshold", 0, "inf"),
    "threshold overflows": place("threshold", 0, "1e999"),
    "leaf is not a number": place("leaf_value", 0, "nan"),
    "leaf overflows": place("leaf_value", 0, "-1e999"),
    "leaf is text": place("leaf_value", 0, "0x41"),
    "digits of another script": place("split_feature", 0, "٢"),
    "underscored number": place("threshold", 0, "1_0"),
    "a leaf too few": field("leaf_value", "1 2 3"),
    "no children": without("left_child"),
    "no thresholds": without("threshold"),
    "children twice": GOOD.replace(b"\nleft_child=", b"\nleft_child=0\nleft_child=", 1),
    "an unknown field": GOOD.replace(b"\nleft_child=", b"\nbackdoor=1\nleft_child=", 1),
    "trees out of order": GOOD.replace(b"Tree=1\n", b"Tree=9\n"),
    "cut within a tree": GOOD[: GOOD.index(b"leaf_value")],
    "cut before the end": GOOD[: GOOD.index(b"end of trees")],
    "no trees": GOOD[: GOOD.index(b"Tree=0")] + b"end of trees\n",
    "another version": field("version", "v3"),
    "many classes": field("num_class", "3"),
    "many trees at once": field("num_tree_per_iteration", "1000"),
    "an unknown objective": field("objective", "regression alpha:%n%n%n"),
    "a million features": field("max_feature_idx", "1000000"),
    "negative features": field("max_feature_idx", "-1"),
    "features of one name": field("feature_names", "a a a a a"),
    "too few names": field("feature_names", "a b"),
    "names with control letters": field("feature_names", "a b c d \x1b[31m"),
    "not UTF-8": b"tree\n" + bytes(range(128, 256)) * 100,
    "zeros": b"tree\n" + bytes(1000),
    "a line without end": b"tree\n" + b"a" * 1_000_000,
}


def chain(leaves: int) -> bytes:
    """One tree that is a chain: each node's right child is the next node."""
    nodes = range(leaves - 1)
    right = [*(str(node + 1) for node in nodes[:-1]), str(-leaves)]
    lines = {
        "num_leaves": str(leaves), "num_cat": "0", "split_feature": " ".join("0" for _ in nodes),
        "threshold": " ".join("2.5" for _ in nodes), "decision_type": " ".join("2" for _ in nodes),
        "left_child": " ".join(str(-1 - node) for node in nodes), "right_child": " ".join(right),
        "leaf_value": " ".join(str(leaf % 7) for leaf in range(leaves)), "is_linear": "0", "shrinkage": "1",
    }  # fmt: skip
    head = GOOD[: GOOD.index(b"Tree=0")]
    text = "".join(f"{name}={value}\n" for name, value in lines.items())
    return head + b"Tree=0\n" + text.encode() + b"\n\nend of trees\n"
