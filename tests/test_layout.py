"""The house stands as drawn: the source root shadows nothing, and the layers point one way."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from regatta.environment import ROOT


def test_platform_is_still_the_standard_librarys() -> None:
    assert platform.python_version_tuple()[0] == "3"
    assert Path(platform.__file__ or "").parent == Path(os.__file__).parent


def test_the_source_root_is_no_package_and_holds_no_module() -> None:
    assert list((ROOT / "platform").glob("*.py")) == []


def test_every_folder_of_tests_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "tests").rglob("test_*.py")}

    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_the_layers_point_one_way() -> None:
    roots = (ROOT / "platform", ROOT, ROOT / "client" / "src")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]

    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    "module", ["torch", "lightgbm", "cvxpy", "sklearn", "onnx", "onnxruntime", "tournament.selectors.meta"]
)
def test_a_web_process_does_not_load(module: str) -> None:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'platform'}{os.pathsep}{ROOT}"}
    code = (
        "import sys, regatta.wsgi; from django.urls import get_resolver; get_resolver().url_patterns; "
        f"sys.exit({module!r} in sys.modules)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environment, "DJANGO_SETTINGS_MODULE": "regatta.settings"},
        cwd=ROOT,
        check=False,
    )

    assert done.returncode == 0
