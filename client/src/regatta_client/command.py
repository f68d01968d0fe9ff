"""The command `regatta`: check, run and convert on one's own machine. No server is asked."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tournament.errors import BadInput, BadModel, BadPredictions, Fault

GOOD, REFUSED, WRONG, BROKEN = 0, 1, 2, 3
CODES = """exit status:
  0  good, or done
  1  the file was refused, as the server would refuse it
  2  the call is wrong: a file is not there, an option is missing, a package has to be installed
  3  it could not be tried for a reason that is not the file's
"""


@dataclass(frozen=True, slots=True)
class Told:
    """What a command ends with: its status, a line for people, the same and more for programs, and faults."""

    status: int
    line: str
    data: dict[str, Any] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()

    def as_json(self) -> str:
        """One object: `good`, `message`, `faults` and what else there is to tell."""
        faults = [asdict(fault) for fault in self.faults]
        return json.dumps({"good": self.status == GOOD, "message": self.line, "faults": faults} | self.data)

    def as_text(self) -> str:
        """The line, and each fault on one of its own."""
        return "\n".join([self.line, *(f"  {fault}" for fault in self.faults)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end the process with its status."""
    options = parser().parse_args(arguments)
    told = attempt(options.do, options)
    print(told.as_json() if options.json else told.as_text(), file=sys.stdout)  # noqa: T201
    raise SystemExit(told.status)


def attempt(do: Callable[[argparse.Namespace], Told], options: argparse.Namespace) -> Told:
    """What a command told, or why it did not."""
    from workers.sandbox.limits import SandboxFault

    try:
        return do(options)
    except (BadModel, BadPredictions) as bad:
        return Told(REFUSED, "Refused:", faults=bad.faults)
    except BadInput as bad:
        return Told(WRONG, "Wrong call:", faults=bad.faults)
    except SandboxFault as error:
        return Told(BROKEN, f"It could not be tried: {error}")


def check_predictions(options: argparse.Namespace) -> Told:
    """`regatta check predictions`."""
    from regatta_client.checking import check_predictions as check

    found = check(options.file, options.live)
    if not found.is_valid:
        return Told(REFUSED, f"Refused, {found.rows:,} rows:", {"rows": found.rows}, found.faults)
    return Told(GOOD, f"Good: {found.rows:,} rows.", {"rows": found.rows})


def check_model(options: argparse.Namespace) -> Told:
    """`regatta check model`."""
    from regatta_client.checking import check_model as check

    found = check(options.file, options.validation)
    summary = found.figures["summary"]
    worth = ", ".join(f"{name} {_number(summary[f'{name}_mean'])}" for name in ("corr", "bmc", "fnc"))
    line = f"Good: {found.answer.about}, the same bytes twice. Mean over {len(found.figures['eras'])} eras: {worth}."
    return Told(GOOD, f"{line} {_how(found.answer)}", _facts(found.answer) | found.figures)


def run(options: argparse.Namespace) -> Told:
    """`regatta run`."""
    import pandas as pd

    from regatta_client.rows import keep_table, read_bytes, read_live
    from regatta_client.running import run as run_model
    from tournament.hosted.ranking import as_predictions

    live = read_live(options.live)
    answer = run_model(read_bytes(options.file), live.work)
    frame = pd.DataFrame({"id": live.ids, "prediction": as_predictions(answer.values)})
    keep_table(frame, options.out)
    line = f"{answer.about}: {len(frame):,} rows written to {options.out}. {_how(answer)}"
    return Told(GOOD, line, _facts(answer) | {"rows": len(frame), "out": str(options.out)})


def convert(options: argparse.Namespace) -> Told:
    """`regatta convert`."""
    from regatta_client.conversion import convert as convert_model
    from regatta_client.conversion.loading import features_of, load
    from regatta_client.rows import keep_bytes

    features = features_of(options.features) if options.features else ()
    made = convert_model(load(options.file), features=features, width=options.width)
    keep_bytes(made.data, options.out)
    places = "under their names" if made.by_name else "by their places in features.json"
    near = f"largest difference {made.largest_difference:.1g} of the spread, {made.rows_apart} of 512 drawn rows apart"
    line = f"{made.about}, as {made.format}, written to {options.out}: reads {made.reads} features {places}; {near}."
    data = {name: value for name, value in asdict(made).items() if name != "data"}
    return Told(GOOD, line, data | {"out": str(options.out)})


def parser() -> argparse.ArgumentParser:
    """Commands and options; every `--help` has an example."""
    top = _parser(
        "Check, run and convert for Regatta, offline.", "regatta check predictions mine.csv --live live.parquet"
    )
    commands = top.add_subparsers(required=True, metavar="check | run | convert")
    checks = _add(commands, "check", "what the server would say", "regatta check model mine.onnx --validation "
                  "validation.parquet").add_subparsers(required=True, metavar="predictions | model")  # fmt: skip
    one = _add(checks, "predictions", "hold predictions against a round's live file, as the server does",
               "regatta check predictions mine.csv --live live_00012.parquet", check_predictions)  # fmt: skip
    one.add_argument("--live", type=Path, required=True, help="the round's live file")
    one = _add(checks, "model", "run a model file twice on the validation eras, as the server does at its upload",
               "regatta check model mine.onnx --validation validation.parquet", check_model)  # fmt: skip
    one.add_argument("--validation", type=Path, required=True, help="the tournament's validation file")
    one = _add(commands, "run", "predict a live file by a model file, exactly as the server does in a round",
               "regatta run mine.onnx --live live_00012.parquet --out mine.parquet", run)  # fmt: skip
    one.add_argument("--live", type=Path, required=True, help="the round's live file")
    one.add_argument("--out", type=Path, required=True, help="where predictions go: .csv or .parquet")
    one = _add(commands, "convert", "make a file that the platform takes of a model of LightGBM, XGBoost, scikit-learn "
               "or torch. Pickles run code when they are read: convert only files of your own",
               "regatta convert forest.joblib --out forest.onnx --features features.json", convert)  # fmt: skip
    one.add_argument("--out", type=Path, required=True, help="where the file goes")
    one.add_argument(
        "--features", type=Path, help="features.json: a model trained on some of them by name finds its own"
    )
    one.add_argument("--width", type=int, help="how many features a torch module reads, where it does not tell")
    return top


def _add(
    to: Any, name: str, about: str, example: str, do: Callable[[argparse.Namespace], Told] | None = None
) -> argparse.ArgumentParser:
    """One more command below another; one that does something takes a file."""
    made = to.add_parser(name, help=about, **_told(about, example))
    if do is not None:
        made.set_defaults(do=do)
        made.add_argument("file", type=Path)
        made.add_argument("--json", action="store_true", help="tell the outcome as one JSON object")
    return made  # type: ignore[no-any-return]


def _parser(about: str, example: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser("regatta", **_told(about, example))


def _told(about: str, example: str) -> dict[str, Any]:
    formatter = argparse.RawDescriptionHelpFormatter
    return {"description": about, "epilog": f"example:\n  {example}\n\n{CODES}", "formatter_class": formatter}


def _facts(answer: Any) -> dict[str, Any]:
    names = ("format", "about", "level", "seconds")
    return {name: getattr(answer, name) for name in names}


def _how(answer: Any) -> str:
    return f"({answer.seconds:.2f} s; {answer.level})"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:+.4f}"
