"""What a network sees: scale-free, told apart by family, standardized over all owners together."""

import numpy as np
import torch
from numpy.testing import assert_allclose

import market_sim as ms
from market_sim.mechanisms.networks.base import Bids
from market_sim.mechanisms.networks.inputs import Standardizer, input_count, owner_inputs
from market_sim.mechanisms.networks.laws import MarketLaw


def seen(reports, budget, max_cap=2.0):
    return owner_inputs(Bids.from_reports(reports), torch.as_tensor(budget), max_cap).numpy()


def test_units_of_money_and_of_data_do_not_matter():
    reports, budget = MarketLaw().sample(np.random.default_rng(0), 50)
    more = ms.Reports(reports.valuations, reports.cap, 7.0 * reports.data_size)
    assert_allclose(seen(more.scaled(3.0), 21.0 * budget), seen(reports, budget), atol=1e-12)


def test_the_families_look_different():
    kinds = ms.KINDS
    rates = [1 / 2, 1, 1 / 2, 1 / (np.e - 1), 1]  # the same value at the cap 1
    reports = ms.Reports(ms.Valuations(kinds, rates), np.ones(5))
    inputs = seen(reports, 1.0)
    assert_allclose(inputs[:, 0], np.log(5 + 1e-3))
    forms = inputs[:, 2:]
    assert min(np.abs(a - b).max() for i, a in enumerate(forms) for b in forms[:i]) > 0.1


def test_an_owner_who_asks_nothing_has_finite_inputs():
    reports = ms.Reports(ms.Valuations("linear", [0.0, 1.0]), [1.0, 1.0])
    assert np.isfinite(seen(reports, 1.0)).all()


def test_one_scale_for_all_owners():
    law = MarketLaw(owners=6)
    scale = Standardizer(input_count(sizes=True)).double()
    scale.fit(law, seed=1)
    assert scale.mean.shape == (5,)
    reports, budget = law.sample(np.random.default_rng(9), 4000)
    rows = scale(torch.tensor(seen(reports, budget))).reshape(-1, 5)
    assert_allclose(rows.mean(dim=0), 0.0, atol=0.1)
    assert_allclose(rows.std(dim=0), 1.0, atol=0.1)
    again = Standardizer(5).double()
    again.fit(law, seed=1)
    assert (again.mean == scale.mean).all()
