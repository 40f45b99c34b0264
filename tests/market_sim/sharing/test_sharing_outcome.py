"""The market's door, its outcome, its graph, and the numbers of the published example."""

import io

import networkx as nx
import numpy as np
import pytest

import market_sim as ms
from market_sim.errors import InvalidInput

NONE = np.zeros((3, 3))


def market(number=3, **changed):
    settings = {
        "data_size": np.full(number, 100.0),
        "gain": 1e6,
        "cost": 1.0,
        "distance": np.full((number, number), 0.2),
        "penalty": 2.0,
    } | changed
    return ms.SharingMarket(**settings)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"data_size": [1.0, 0.0, 2.0]}, "data_size must be greater than 0, got 0 at index 1"),
        ({"data_size": [1.0, np.inf, 2.0]}, "data_size must be finite, got inf at index 1"),
        ({"data_size": 3.0}, r"data_size must be one number a participant, got the shape \(\)"),
        ({"data_size": []}, r"data_size must be one number a participant, got the shape \(0,\)"),
        ({"gain": [1.0, -2.0, 1.0]}, "gain must be at least 0, got -2 at index 1"),
        ({"gain": np.nan}, "gain must not be NaN"),
        ({"gain": [1.0, 2.0]}, "gain must be one number, or one for each of the 3 participants"),
        ({"cost": -1.0}, "cost must be at least 0, got -1"),
        ({"cost": np.inf}, "cost must be finite"),
        ({"penalty": -1.0}, "penalty must be at least 0"),
        ({"penalty": [1.0, 2.0]}, "penalty must be one number"),
        ({"distance": np.zeros((3, 2))}, r"distance must have the shape \(3, 3\)"),
        ({"distance": [[0, 1], [2]]}, "distance must be a square matrix of real"),
        ({"distance": np.zeros((3, 3)) + 1j}, "distance must be a square matrix of real"),
        ({"distance": NONE - 0.1 + np.eye(3)}, r"distance must be at least -1e-09, got -0.1"),
        ({"allowed": np.ones((2, 2))}, "allowed must be true or false"),
        ({"allowed": np.full((3, 3), 0.5)}, "allowed must be true or false"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(changed, sentence):
    with pytest.raises(InvalidInput, match=sentence):
        market(**changed)


def test_inputs_are_neither_changed_nor_kept_open():
    distance = np.full((3, 3), 0.2)
    made = market(distance=distance)
    assert distance[0, 0] == 0.2
    with pytest.raises(ValueError, match="read-only"):
        made.cost[0] = 9.0
    cost = np.array([1.0, 1.0, 1.0])
    made = market(cost=cost)
    cost[0] = 50.0
    assert made.cost[0] == 1.0


def test_rounding_below_zero_is_no_distance():
    assert market(distance=NONE - 1e-16).distance.min() == 0.0


@pytest.mark.parametrize("rule", ["published", "vcg", "critical", "two_sided"])
@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"number": 1}, "no trade: a participant alone has nobody to import from"),
        ({"gain": 0.0}, "no trade: every gain K is 0"),
        ({"cost": 1e4}, "no trade: no model is worth its cost and distance to anybody"),
        ({"allowed": np.zeros((3, 3), bool)}, "no trade: no edge is possible"),
        (
            {"distance": np.full((3, 3), np.nan)},
            "no trade: no edge is possible; 6 edges refused, their distance is not finite",
        ),
    ],
)
def test_no_trade_is_said_so(rule, changed, status):
    found = market(**changed).clear(rule)
    assert found.status == status
    assert not found.imports.any()
    assert found.graph.number_of_edges() == 0
    assert found.graph.number_of_nodes() == found.market.participants
    assert (found.utility == 0).all()
    assert (found.welfare, found.deficit, found.gap) == (0.0, 0.0, 0.0)


def test_an_attacker_s_edges_are_refused_and_the_market_goes_on():
    distance = np.full((4, 4), 0.2)
    distance[2, :] = distance[:, 2] = np.nan
    found = market(4, distance=distance).clear()
    refused = np.zeros((4, 4), dtype=bool)
    refused[2, :] = refused[:, 2] = True
    refused[2, 2] = False
    np.testing.assert_array_equal(found.refused, refused)
    assert found.imports[np.ix_([0, 1, 3], [0, 1, 3])].any()
    assert not found.imports[refused].any()
    assert found.status.endswith("participants; 6 edges refused, their distance is not finite")
    assert np.isfinite(found.payment).all()
    assert np.isfinite(found.utility).all()


def test_who_is_away_trades_nothing():
    allowed = np.ones((3, 3), dtype=bool)
    allowed[1, :] = allowed[:, 1] = False
    found = market(allowed=allowed).clear()
    assert not found.refused.any()
    assert found.imports.tolist() == [[False, False, True], [False] * 3, [True, False, False]]
    two = market(2).clear()
    np.testing.assert_allclose(found.utility[[0, 2]], two.utility)


def test_the_published_order_of_magnitude():
    """9 equal clients: FedAvg -1.675 a round; one import each inside clusters of three +1.78."""
    label = np.arange(9) // 3
    distance = np.where(label[:, None] == label, 0.2, 0.8)
    sizes = 5e5 / (6.325 / (1 - 1 / 3)) ** 2  # so that nine times the data is worth 6.325
    made = ms.SharingMarket(np.full(9, sizes), 5e5, 1.0, distance, 2.0)
    everyone = made.settle(np.ones((9, 9)))
    np.testing.assert_allclose(everyone.utility, -1.675, atol=1e-12)
    assert everyone.payment.sum() == 0.0
    assert everyone.graph_kind == "given"
    found = made.clear()
    assert found.imports.sum(axis=1).tolist() == [1] * 9
    assert (label[np.nonzero(found.imports)[0]] == label[np.nonzero(found.imports)[1]]).all()
    assert found.utility.mean() == pytest.approx(1.78, abs=0.005)


def test_a_given_graph_leaves_out_what_cannot_be():
    distance = np.full((3, 3), 0.2)
    distance[0, 1] = np.inf
    made = market(distance=distance, cost=[1.0, 2.0, 3.0])
    found = made.settle(np.ones((3, 3)), "published")
    assert found.imports.sum() == 5
    assert found.exports.tolist() == [2, 1, 2]
    np.testing.assert_allclose(found.payment[1, 0], np.sqrt(1e6 / 200) - np.sqrt(1e6 / 300) - 0.4)
    with pytest.raises(InvalidInput, match="rule must be 'free' or 'published' for a given graph"):
        made.settle(np.ones((3, 3)), "vcg")
    with pytest.raises(InvalidInput, match="imports must be true or false"):
        made.settle(np.ones((2, 3)))


def test_a_given_graph_without_edges_blames_the_method():
    found = market().settle(np.zeros((3, 3)))
    assert found.status == "no trade: the method imports nothing"


def test_small_models_count_beside_a_huge_one():
    found = ms.SharingMarket([1.0, 1e17], 1e4, 0.0, np.zeros((2, 2)), 0.0).clear()
    assert found.payment[0, 1] == pytest.approx(100.0)
    three = ms.SharingMarket([1.0, 1e17, 3.0], 1e4, 0.0, np.zeros((3, 3)), 0.0)
    imports = [[False, True, True], [False] * 3, [False] * 3]
    paid = three.settle(imports, "published").payment[0]
    assert paid == pytest.approx([0.0, 50.0, 0.0], abs=1e-5)  # sqrt(1e4 / 4), and nearly nothing


def test_accounts_by_hand():
    """One buyer, one seller: G = 10 - 10 / sqrt(2), the penalty 2 * 0.2."""
    found = market(2, gain=[1e4, 0.0]).clear()
    gain = 10 - 10 / np.sqrt(2)
    np.testing.assert_allclose(found.gain, [gain, 0])
    np.testing.assert_allclose(found.payment, [[0, gain - 0.4], [0, 0]])
    np.testing.assert_allclose(found.net, [gain - 0.4, 0.4 - gain])
    np.testing.assert_allclose(found.utility, [0.4, gain - 1.4])
    assert found.welfare == pytest.approx(gain - 1)
    assert found.net_welfare == pytest.approx(gain - 1.4)
    assert found.optimal_share == 1.0
    assert str(found).startswith("published on the greedy graph, traded: 1 import among 2")


def test_utility_at_the_truth():
    truth = market(2, gain=[1e4, 0.0])
    lied = truth.with_reports(cost=[1.0, 2.0], gain=[4e4, 0.0], data_size=[100.0, 300.0]).clear()
    paid = lied.payment[0, 1]
    np.testing.assert_allclose(
        lied.true_utility(truth), [10 - 10 / np.sqrt(2) - paid, paid - 1.0], rtol=1e-14
    )
    np.testing.assert_allclose(lied.true_utility(lied.market), lied.utility)
    with pytest.raises(InvalidInput, match="the true market has 3 participants, the outcome 2"):
        lied.true_utility(market(3))


def test_the_graph_is_written_as_graphml_and_read_back():
    found = ms.SharingLaw(6).sample(np.random.default_rng(0)).clear("two_sided")
    graph = found.graph
    buyer, seller = np.nonzero(found.imports)
    assert set(graph.edges) == set(zip(seller.tolist(), buyer.tolist(), strict=True))
    for j, i, told in graph.edges(data=True):
        assert told["price"] == found.payment[i, j]
        assert told["received"] == found.received[i, j]
        assert told["price"] == pytest.approx(told["cost"] + told["penalty"])
        assert told["gain"] >= told["received"]
        assert all(type(value) is float for value in told.values())
    file = io.BytesIO()
    nx.write_graphml(graph, file)
    read = nx.read_graphml(io.BytesIO(file.getvalue()), node_type=int)
    assert dict(read.nodes(data=True)) == dict(graph.nodes(data=True))
    assert read.adj == graph.adj
    assert read.graph["status"] == found.status


def test_a_law_of_markets_stays_in_its_ranges_and_repeats():
    law = ms.SharingLaw(5, (10, 20), (1e3, 1e4), (1, 2), (0.2, 0.4), 3.0)
    one, two = (law.sample(np.random.default_rng(7)) for _ in range(2))
    for name, (low, high) in {"data_size": (10, 20), "gain": (1e3, 1e4), "cost": (1, 2)}.items():
        values = getattr(one, name)
        assert low <= values.min() < values.max() <= high
        np.testing.assert_array_equal(values, getattr(two, name))
    apart = one.distance[~np.eye(5, dtype=bool)]
    assert 0.2 <= apart.min() < apart.max() <= 0.4
    np.testing.assert_array_equal(one.distance, one.distance.T)
    with pytest.raises(InvalidInput, match="cost must be a lowest and a highest number"):
        ms.SharingLaw(cost=(3.0, 1.0))
    with pytest.raises(InvalidInput, match="participants must be a whole number"):
        ms.SharingLaw(0)
