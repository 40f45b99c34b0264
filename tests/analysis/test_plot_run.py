"""The registry: which figures a run gives, and that all of them draw for the smallest runs."""

import io
import json

import pytest

from analysis import FIGURES, draw_figure, figure_names, load_run, plot_run
from analysis.style import theme
from market_sim.errors import ResultsError

MARKET = [
    "accuracy-against-budget",
    "learning-curve",
    "money-and-privacy-flow",
    "owner-outcomes",
    "budget-use",
    "privacy-utility",
]
SMALLEST = {
    "seeds": (0,),
    "settings": ("low",),
    "mechanisms": ("all-in-critical",),
}


def drawn(path, names=None):
    """Draw figures to memory, coarsely: layout and ticks happen as they do in print."""
    run = load_run(path)
    chosen = names or figure_names(run)
    for name in chosen:
        memory = io.BytesIO()
        with theme():
            draw_figure(name, run).savefig(memory, format="png", dpi=30)
        assert len(memory.getvalue()) > 1000
    return chosen


def test_every_figure_is_described_and_names_are_those_of_files():
    assert figure_names() == list(FIGURES)
    for name, spec in FIGURES.items():
        assert name == name.lower().replace("_", "-").replace(" ", "-")
        assert spec.shows
        assert spec.experiments


def test_what_fits_depends_on_what_was_swept(make_auctions, make_market, make_audit):
    budgets = {"fixed": (5.0,)}
    assert figure_names(load_run(make_auctions())) == ["error-against-budget", "budget-use"]
    owners = load_run(make_auctions(name="o", owners=(5, 10), budgets=budgets))
    assert figure_names(owners) == ["error-against-owners", "budget-use"]
    assert figure_names(load_run(make_market())) == MARKET
    assert figure_names(load_run(make_market(name="m", learning=False))) == MARKET[1:-1]
    assert figure_names(load_run(make_audit())) == ["audit"]


def test_figures_without_their_table_do_not_fit(make_market):
    path = make_market()
    (path / "owners.parquet").unlink()
    assert figure_names(load_run(path)) == [*MARKET[:2], "budget-use", "privacy-utility"]


def test_the_manifest_decides_what_is_drawn(make_auctions):
    path = make_auctions(manifest={"figures": ["budget-use"]})
    files = plot_run(path)
    assert [file.name for file in files] == ["budget-use.pdf", "budget-use.png"]
    assert all(file.parent == path / "figures" and file.stat().st_size > 1000 for file in files)


def test_names_and_folder_may_be_given(make_audit, tmp_path):
    files = plot_run(make_audit(), names=["audit"], folder=tmp_path / "elsewhere")
    assert [file.parent for file in files] == [tmp_path / "elsewhere"] * 2


def test_an_unfinished_run_is_drawn(make_market):
    path = make_market(parts=3, manifest={"status": "running"}, settings=("low",), rounds=3)
    assert len(plot_run(path)) == 2 * len(MARKET)


def test_unknown_figures_suggest_the_nearest(make_auctions):
    run = load_run(make_auctions())
    with pytest.raises(ResultsError, match="did you mean 'error-against-budget'"):
        draw_figure("eror-against-budget", run)
    with pytest.raises(ResultsError, match="there are error-against-budget,"):
        draw_figure("zzz", run)


def test_a_figure_of_another_experiment_is_refused(make_auctions):
    with pytest.raises(ResultsError, match="needs a run of market"):
        draw_figure("learning-curve", load_run(make_auctions()))
    path = make_auctions(name="unnamed", manifest={"experiment": "dance"})
    with pytest.raises(ResultsError, match="No figure fits"):
        plot_run(path)
    with pytest.raises(ResultsError, match="needs a run of auctions or market"):
        draw_figure("budget-use", load_run(path))


def test_all_figures_draw_for_the_smallest_auctions(make_auctions):
    small = {**SMALLEST, "aggregators": ("error-opt",), "budgets": {"fixed": (5.0,)}}
    for name, winners in (("won", True), ("none", False)):
        path = make_auctions(name=name, winners=winners, **small)
        for figure in ("error-against-budget", "error-against-owners", "budget-use"):
            assert drawn(path, [figure])


@pytest.mark.parametrize(("rounds", "owners"), [(1, 1), (2, 13), (2, 14)])
@pytest.mark.parametrize("winners", [True, False])
def test_all_figures_draw_for_the_smallest_markets(make_market, rounds, owners, winners):
    path = make_market(**SMALLEST, levels=(5.0,), rounds=rounds, owners=owners, winners=winners)
    assert drawn(path) == MARKET


def test_a_buyer_without_money_is_drawn(make_market):
    path = make_market(**SMALLEST, levels=(0.0,), rounds=2, winners=False)
    assert drawn(path) == MARKET


def test_all_figures_draw_for_the_smallest_audit(make_audit):
    assert drawn(make_audit(**SMALLEST)) == ["audit"]


def test_a_manifest_that_lists_an_unknown_figure_is_an_error(make_audit):
    path = make_audit()
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, "figures": ["audits"]}))
    with pytest.raises(ResultsError, match="did you mean 'audit'"):
        plot_run(path)
