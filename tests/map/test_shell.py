"""The map's shell: the committed files are what folium makes, and nothing foreign or inline is left in them."""

import re
from pathlib import Path

import pytest

from portal_web import shell


def test_the_committed_files_are_what_folium_makes_now(tmp_path: Path) -> None:
    shell.write(tmp_path)
    for name in ("shell.js", "shell.css"):
        assert (shell.FOLDER / name).read_text() == (tmp_path / name).read_text(), "run: python -m portal_web.shell"


def test_nothing_foreign_and_no_text_is_in_the_shell() -> None:
    script, style = (shell.FOLDER / "shell.js").read_text(), (shell.FOLDER / "shell.css").read_text()
    assert not re.search(r"https?:|//\w|<|`|\$\{|@import|url\(", script + style)
    assert script.count("L.map(") == 1
    assert f"var {shell.MAP_ID} = L.map(" in script
    assert set(re.findall(r"#[\w-]+", style)) == {f"#{shell.MAP_ID}"}


def test_a_changed_folium_is_noticed() -> None:
    with pytest.raises(ValueError, match="another way"):
        shell.split("<html><script>var other = 1;</script></html>")


def test_leaflet_comes_from_the_wheel() -> None:
    assert {"leaflet.js", "leaflet.css"} <= {path.name for path in shell.leaflet_folder().iterdir()}
