"""Names of mechanisms and all else that a scenario may ask for."""

import re
import sys

import pytest

import market_sim as ms
from market_sim.errors import InvalidInput, ScenarioError
from scenarios import registry
from scenarios.items import Item

OWN = """
from market_sim import AllIn

class Halved(AllIn):
    @property
    def name(self):
        return "halved"

    def clear(self, reports, budget):
        return super().clear(reports, [0.5 * b for b in budget] if hasattr(budget, "__len__")
                             else 0.5 * budget)

NUMBER = 3
"""


@pytest.mark.parametrize(
    ("group", "name"),
    [
        (group, name)
        for group in ("mechanism", "aggregator", "perturbation", "strategy", "model", "recipe")
        for name in registry.names(group)
    ],
)
def test_everything_registered_can_be_built(group, name):
    assert registry.build(group, Item(name=name)) is not None


@pytest.mark.parametrize("group", ["partition", "dataset"])
def test_everything_registered_can_be_found(group):
    for name in registry.names(group):
        registry.check(group, Item(name=name))


def test_a_name_may_imply_arguments():
    assert registry.build("mechanism", Item(name="all-in-singer")) == ms.AllIn("singer")
    given = Item(name="all-in", arguments={"payment": "published"})
    assert registry.build("mechanism", given) == ms.AllIn("published")
    with pytest.raises(ScenarioError, match="has no argument 'payment'; it takes none"):
        registry.check("mechanism", Item(name="all-in-singer", arguments={"payment": "critical"}))


def test_lists_become_tuples():
    model = registry.build("model", Item(name="mlp", arguments={"hidden": [8, 4]}))
    assert model.hidden == (8, 4)


def test_what_the_run_passes_is_not_the_scenarios_to_say():
    with pytest.raises(ScenarioError, match="partition 'dirichlet' has no argument 'rng'"):
        registry.check("partition", Item(name="dirichlet", arguments={"rng": 3}))
    with pytest.raises(ScenarioError, match=re.escape("no argument 'alhpa'; did you mean 'alpha'")):
        registry.check("partition", Item(name="dirichlet", arguments={"alhpa": 3}))


def test_labels_are_the_instances_names_unless_given():
    assert registry.label("mechanism", Item(name="all-in")) == "all-in-critical"
    assert registry.label("mechanism", Item(name="all-in", label="mine")) == "mine"


def test_error_opt_is_told_the_constants_of_the_error_bound():
    assert registry.build_aggregator(Item(name="error-opt"), 2.0, 5) == ms.ErrorOpt(2.0, 5)
    own = Item(name="error-opt", arguments={"dim": 3})
    assert registry.build_aggregator(own, 2.0, 5) == ms.ErrorOpt(2.0, 3)
    assert registry.build_aggregator(Item(name="var-opt"), 2.0, 5) == ms.VarOpt()


def test_a_users_own_class_lies_in_the_present_folder(tmp_path, monkeypatch):
    (tmp_path / "my_rules_of_today.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    item = Item(name="my_rules_of_today:Halved")
    assert registry.label("mechanism", item) == "halved"
    with pytest.raises(ScenarioError, match="is no class or function, got int"):
        registry.check("mechanism", Item(name="my_rules_of_today:NUMBER"))
    with pytest.raises(ScenarioError, match="cannot be imported"):
        registry.check("mechanism", Item(name="my_rules_of_today:Missing"))


@pytest.mark.parametrize(
    "place", ["no_such_module_here:X", ":X", "market_sim:", "./nofile:X", "..x:X", ".a:X", "x.:X"]
)
def test_a_place_that_leads_nowhere_is_named(place):
    with pytest.raises(ScenarioError, match=re.escape(f"{place!r} cannot be imported")):
        registry.check("mechanism", Item(name=place))


def test_registering_opens_a_name(monkeypatch):
    monkeypatch.setitem(registry._REGISTRY, "aggregator", dict(registry._REGISTRY["aggregator"]))
    registry.register("aggregator", "mine", "market_sim:ErrorOpt", dim=9)
    assert registry.build("aggregator", Item(name="mine")) == ms.ErrorOpt(dim=9)
    with pytest.raises(InvalidInput, match="registered already"):
        registry.register("aggregator", "mine", "market_sim:ErrorOpt")
    with pytest.raises(InvalidInput, match="module:attribute"):
        registry.register("aggregator", "other", "market_sim.ErrorOpt")
