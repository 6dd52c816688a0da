"""What the Dockerfile installs: only what its Airflow image lacks, as the requirements pin it."""

from __future__ import annotations

import pytest

from docker import lacking
from tests.support.airflow_home import ROOT

PRODUCT = (ROOT / "requirements-product.txt").read_text(encoding="utf-8")
REQUIREMENTS = (ROOT / "requirements.txt").read_text(encoding="utf-8")


def test_what_an_image_has_keeps_its_own_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines whose package is installed are left out; the rest comes with its pin and extras."""
    product = list(lacking.all_lines(PRODUCT))
    assert "apache-airflow==3.3.2" in product
    assert not any(line.startswith(("pytest", "psutil", "#")) for line in product)
    assert list(lacking.lacking(PRODUCT, [])) == []  # everything is installed here
    image = {"apache-airflow", "pandas"}
    monkeypatch.setattr(lacking, "is_installed", lambda name: name in image)
    found = list(lacking.lacking(PRODUCT, []))
    assert found == [line for line in product if lacking.name_of(line) not in image]
    assert all("==" in line and "#" not in line for line in found)


def test_named_packages_come_from_any_section(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's image asks for some of the demo's packages; an unknown name ends the build."""
    monkeypatch.setattr(lacking, "is_installed", lambda _name: False)
    (line,) = lacking.lacking(REQUIREMENTS, ["uvloop"])
    assert line.startswith("uvloop==")
    with pytest.raises(SystemExit, match="no-such-package"):
        list(lacking.lacking(REQUIREMENTS, ["no-such-package"]))
