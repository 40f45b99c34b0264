"""The look: distinct lines, no trace in matplotlib's state, the same bytes, whole files."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.figure import Figure
from PIL import Image

from analysis import plot_run, save
from analysis.style import headline, legend_below, looks, theme, themed
from market_sim.errors import ResultsError

ROOT = Path(__file__).resolve().parents[2]


@themed
def small_figure():
    figure = Figure(figsize=(2, 1.5), layout="constrained")
    axes = figure.add_subplot()
    (line,) = axes.plot([1, 2], [3, 4])
    headline(figure, "A small figure")
    legend_below(figure, [line], ["line"], "note")
    return figure


def test_lines_are_told_apart_without_color():
    styles = looks(f"line {number}" for number in range(70))
    assert len({(look.marker, look.dash) for look in styles.values()}) == 70


def test_the_same_name_keeps_its_look():
    assert looks(["a", "b", "a"]) == looks(["a", "b"])


def test_drawing_and_saving_leave_the_settings_alone(tmp_path):
    before = dict(mpl.rcParams)
    save(small_figure(), tmp_path, "small")
    assert dict(mpl.rcParams) == before


def test_the_users_settings_do_not_leak_in(tmp_path):
    _, plain = save(small_figure(), tmp_path, "plain")
    with mpl.rc_context({"lines.linewidth": 9, "axes.facecolor": "red", "font.size": 20}):
        _, other = save(small_figure(), tmp_path, "other")
    assert plain.read_bytes() == other.read_bytes()


def test_the_theme_is_undone_after_an_error():
    before = dict(mpl.rcParams)
    with pytest.raises(KeyError), theme():
        raise KeyError
    assert dict(mpl.rcParams) == before


def test_files_are_a_pdf_with_fonts_and_a_png_of_300_dpi(tmp_path):
    pdf, png = save(small_figure(), tmp_path / "new" / "folder", "small")
    content = pdf.read_bytes()
    assert content.startswith(b"%PDF")
    assert b"CreationDate" not in content
    assert b"/Subtype /Image" not in content
    with Image.open(png) as image:
        assert image.size == (600, 450)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert sorted(file.name for file in pdf.parent.iterdir()) == ["small.pdf", "small.png"]


def test_a_refused_write_is_one_sentence_and_keeps_the_old_file(tmp_path, monkeypatch):
    pdf, _ = save(small_figure(), tmp_path, "small")
    before = pdf.read_bytes()

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", full)
    with pytest.raises(ResultsError, match="No space left"):
        save(small_figure(), tmp_path, "small")
    assert pdf.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["small.pdf", "small.png"]


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be written"):
        save(small_figure(), tmp_path / "file", "small")


def test_bytes_are_the_same_in_another_process(make_audit, tmp_path):
    path = make_audit()
    here = plot_run(path)
    code = "import sys; from analysis import plot_run; plot_run(sys.argv[1], folder=sys.argv[2])"
    subprocess.run(
        [sys.executable, "-c", code, str(path), str(tmp_path / "again")],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "123", "PYTHONPATH": str(ROOT)},
    )
    for file in here:
        assert file.read_bytes() == (tmp_path / "again" / file.name).read_bytes()
