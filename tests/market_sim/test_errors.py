"""One hierarchy of errors, and bad input to every public function of the core."""

import re

import numpy as np
import pytest

import market_sim as ms
from market_sim import reference, shapes

VALUATIONS = ms.Valuations("linear", [1.0, 1.0])
REPORTS = ms.Reports.single_minded(value=[1.0, 1.0], cap=[1.0, 1.0])
OUTCOME = ms.Outcome([1.0, 0.0], [1.0, 0.0], 2.0)
POPULATION = ms.Population(VALUATIONS, [1.0, 1.0])

# The function of one array of two owners, and what its argument is called in the message.
ARRAY_ARGUMENTS = {
    "Valuations": (lambda x: ms.Valuations("linear", x), "rate"),
    "Valuations.cost": (VALUATIONS.cost, "epsilon"),
    "Valuations.base": (VALUATIONS.base, "epsilon"),
    "Valuations.scaled": (VALUATIONS.scaled, "factor"),
    "Reports cap": (lambda x: ms.Reports(VALUATIONS, x), "cap"),
    "Reports data_size": (lambda x: ms.Reports(VALUATIONS, [1.0, 1.0], x), "data_size"),
    "single_minded value": (lambda x: ms.Reports.single_minded(value=x, cap=[1, 1]), "value"),
    "single_minded cap": (lambda x: ms.Reports.single_minded(value=[1, 1], cap=x), "cap"),
    "Reports.cost": (REPORTS.cost, "epsilon"),
    "Reports.scaled value": (lambda x: REPORTS.scaled(value=x), "factor"),
    "Reports.scaled cap": (lambda x: REPORTS.scaled(cap=x), "cap factor"),
    "Outcome epsilon": (lambda x: ms.Outcome(x, [1, 1], 2.0), "epsilon"),
    "Outcome payment": (lambda x: ms.Outcome([1, 1], x, 2.0), "payment"),
    "Outcome budget": (lambda x: ms.Outcome(np.ones((2, 2)), np.ones((2, 2)), x), "budget"),
    "Outcome data_size": (lambda x: ms.Outcome([1, 1], [1, 1], 2.0, x), "data_size"),
    "Outcome.utility cap": (lambda x: OUTCOME.utility(VALUATIONS, x), "cap"),
    "Outcome.cost data_size": (lambda x: OUTCOME.cost(VALUATIONS, x), "data_size"),
    "Population cap": (lambda x: ms.Population(VALUATIONS, x), "cap"),
    "Population lifetime_cap": (
        lambda x: ms.Population(VALUATIONS, [1, 1], lifetime_cap=x),
        "lifetime_cap",
    ),
    "Population.cost": (POPULATION.cost, "epsilon"),
    "budgets": (lambda x: ms.budgets(POPULATION, x), "budget level"),
    "AllIn.clear": (lambda x: ms.AllIn().clear(REPORTS, x), "budget"),
    "error_bound weights": (lambda x: ms.error_bound(x, [1, 1]), "weights"),
    "error_bound epsilon": (lambda x: ms.error_bound([0.5, 0.5], x), "epsilon"),
    "error_bound data_size": (lambda x: ms.error_bound([0.5, 0.5], [1, 1], x), "data_size"),
    "ErrorOpt.weights": (ms.ErrorOpt().weights, "epsilon"),
    "as_floats": (lambda x: shapes.as_floats("thing", x, minimum=0.0), "thing"),
}
BAD = {
    "negative": [1.0, -2.0],
    "nan": [1.0, np.nan],
    "words": ["one", "two"],
    "complex": np.array([1.0, 2.0j]),
    "ragged": [[1.0], [1.0, 2.0]],
    "nothing": None,
}
OPTIONAL = (
    "Reports data_size",
    "Outcome data_size",
    "Outcome.utility cap",
    "Outcome.cost data_size",
    "Population lifetime_cap",
    "error_bound data_size",
)


def assert_refused(call, name):
    with pytest.raises(ms.InvalidInput) as caught:
        call()
    message = str(caught.value)
    assert name in message
    assert "\n" not in message
    assert len(message) < 300
    return message


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("argument", ARRAY_ARGUMENTS)
def test_bad_arrays(argument, bad):
    function, name = ARRAY_ARGUMENTS[argument]
    if bad == "nothing" and argument in OPTIONAL:
        function(None)
    else:
        assert_refused(lambda: function(BAD[bad]), name)


@pytest.mark.parametrize("argument", [a for a in ARRAY_ARGUMENTS if "lifetime" not in a])
def test_infinity(argument):
    function, name = ARRAY_ARGUMENTS[argument]
    if argument == "as_floats":
        pytest.skip("the caller chooses")
    assert_refused(lambda: function([1.0, np.inf]), name)


@pytest.mark.parametrize(
    "argument",
    [
        "Reports cap",
        "Reports data_size",
        "single_minded cap",
        "Population cap",
        "AllIn.clear",
        "Outcome budget",
        "Outcome data_size",
        "Population lifetime_cap",
        "budgets",
        "error_bound data_size",
        "Reports.scaled cap",
    ],
)
def test_zero_where_it_must_be_positive(argument):
    function, name = ARRAY_ARGUMENTS[argument]
    message = assert_refused(lambda: function([0.0, 0.0]), name)
    assert "greater than 0" in message


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: ms.Valuations("linear", []), "owner"),
        (lambda: ms.Valuations(["linear"] * 3, [1.0, 2.0]), "kind"),
        (lambda: ms.Valuations(["linear", "cubic"], [1.0, 2.0]), "cubic"),
        (lambda: ms.Valuations(7, [1.0, 2.0]), "kind"),
        (lambda: ms.Valuations(2.5, [1.0, 2.0]), "kind"),
        (lambda: ms.Reports(VALUATIONS, [1.0, 1.0, 1.0]), "owners"),
        (lambda: ms.Reports(VALUATIONS, np.ones((3, 0))), "empty"),
        (lambda: ms.Reports([1.0, 2.0], [1.0, 1.0]), "valuations"),
        (lambda: ms.Reports.single_minded(value=np.ones((2, 2)), cap=np.ones((3, 2))), "leading"),
        (lambda: ms.Outcome([1.0, 1.0], [1.0], 2.0), "owners"),
        (lambda: ms.Outcome(1.0, 1.0, 2.0), "owners"),
        (lambda: ms.Outcome([1.0], [1.0], [1.0, 2.0]), "budget"),
        (lambda: OUTCOME.utility(ms.Valuations("linear", [1.0] * 3)), "owners"),
        (lambda: OUTCOME.utility(VALUATIONS, cap=[1.0, 1.0, 1.0]), "cap"),
        (lambda: VALUATIONS.cost([1.0, 1.0, 1.0]), "epsilon"),
        (lambda: ms.Valuations("exponential", [1.0]).cost(800.0), "double precision"),
        (lambda: ms.Valuations("linear", [1e308]).cost(800.0), "double precision"),
        (lambda: VALUATIONS.scaled([1.0, 1.0, 1.0]), "factor"),
        (lambda: REPORTS.scaled(cap=[1.0, 1.0, 1.0]), "cap factor"),
        (lambda: OUTCOME.cost(VALUATIONS, [1.0, 1.0, 1.0]), "data_size"),
        (lambda: ms.PopulationLaw(owners=0), "owners"),
        (lambda: ms.PopulationLaw(owners=2.5), "owners"),
        (lambda: ms.PopulationLaw(kinds=("cubic",)), "cubic"),
        (lambda: ms.PopulationLaw(kinds=()), "kinds"),
        (lambda: ms.PopulationLaw(rate=(2.0, 1.0)), "rate"),
        (lambda: ms.PopulationLaw(rate=(1.0,)), "rate"),
        (lambda: ms.PopulationLaw(cap=(0.0, 1.0)), "cap"),
        (lambda: ms.PopulationLaw(cap=(0.5, np.inf)), "cap"),
        (lambda: ms.PopulationLaw(sizes="huge"), "sizes"),
        (lambda: ms.PopulationLaw(lifetime_cap=0.0), "lifetime_cap"),
        (lambda: ms.budgets(POPULATION, 1.0, "free"), "budget law"),
        (
            lambda: ms.budgets(
                ms.Population(ms.Valuations("linear", [0.0]), [1.0]), 1.0, "proportional"
            ),
            "budget",
        ),
        (lambda: ms.AllIn("vickrey"), "payment"),
        (lambda: ms.Streams(-1), "seed"),
        (lambda: ms.Streams(1.5), "seed"),
        (lambda: ms.error_bound([0.5, 0.5], [1.0, 1.0, 1.0]), "owners"),
        (lambda: ms.error_bound(np.ones((2, 2)), np.ones((3, 2))), "leading"),
    ],
)
def test_bad_shapes_and_names(call, name):
    assert_refused(call, name)


def test_the_message_names_the_entry_and_the_place():
    message = assert_refused(lambda: ms.Reports(VALUATIONS, [[1, 1], [1, -4]]), "cap")
    assert re.fullmatch(r"cap must be greater than 0, got -4 at index \(1, 1\)", message)


def test_the_hierarchy():
    for name in ms.__all__:
        error = getattr(ms, name)
        if isinstance(error, type) and issubclass(error, Exception):
            assert issubclass(error, (ms.MarketSimError, ms.MarketSimWarning))
            assert error.__doc__
    assert issubclass(ms.MarketSimWarning, UserWarning)
    assert issubclass(ms.InvalidInput, ValueError)
    assert issubclass(ms.ScenarioError, ms.InvalidInput)
    assert issubclass(ms.ChecksumMismatch, ms.DataUnavailable)


def test_reference_records_state_their_source():
    for record in (reference.UNDERBIDDING, reference.SIZE_LAW):
        assert "FL-Market" in record.source
