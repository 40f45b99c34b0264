"""Rounds of a version market: money balances, gains add up, and what happens without trade."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import market_sim as ms
from agents.versions import OwnerTerms, RespondInTurn, TradeTerms, VersionMarket
from market_sim.pricing import PRICING_RULES, BuyerLaw
from market_sim.versions import OwnerNoise, PrivacyRule, SaleTerms

LAW = BuyerLaw([0.1, 0.2, 0.4], [5.0, 12.0, 30.0], [2, 1, 1], "lognormal")
NOTHING = {"pool": 1e-4}


def market(
    *, owners=12, cost=None, lie=1.0, q=1.0, p=2.0, sale=None, seed=3, choice="equilibrium",
    law=LAW, **terms,
):  # fmt: skip
    costs = np.linspace(0.5, 1.5, owners) if cost is None else cost
    rule = TradeTerms(
        **{"sale": SaleTerms(**({"buyers": 80} | (sale or {}))), "surveyed": 100, **terms}
    )
    people = OwnerTerms(costs, np.full(owners, 50.0), lie, q, p)
    return VersionMarket(people, law, rule, seed=seed, choice=choice)


def tables(found, rounds=1):
    found.run(rounds)
    return found.tables()


def assert_adds_up(found, table):
    """Check the accounts of every round against owners, buyers and the ledger."""
    seasons = table["versions_seasons"]
    for at in range(found.round):
        row = {name: values[at] for name, values in seasons.items()}
        owners = {k: v[table["version_owners"]["round"] == at] for k, v in
                  table["version_owners"].items()}  # fmt: skip
        buyers = {k: v[table["version_buyers"]["round"] == at] for k, v in
                  table["version_buyers"].items()}  # fmt: skip
        versions = table["versions"]["round"] == at
        served = buyers["paid"] > 0
        made = buyers["value"][served].sum() - owners["privacy_cost"].sum()
        assert row["welfare"] == pytest.approx(made, abs=1e-6)
        parts = row["broker_profit"] + row["owner_utility"] + row["buyer_surplus"]
        assert row["welfare"] == pytest.approx(parts, abs=1e-9)
        assert row["revenue"] == pytest.approx(buyers["paid"].sum(), abs=1e-9)
        assert row["revenue"] == pytest.approx(table["versions"]["revenue"][versions].sum())
        assert row["paid"] == pytest.approx(owners["payment"].sum(), abs=1e-9)
        assert (buyers["surplus"] >= -1e-9).all()
    book = table["ledger"]
    money = book["currency"] == "money"
    balance = {}
    for debit, credit, amount in zip(
        book["debit"][money], book["credit"][money], book["amount"][money], strict=True
    ):
        balance[debit] = balance.get(debit, 0.0) - amount
        balance[credit] = balance.get(credit, 0.0) + amount
    assert abs(sum(balance.values())) < 0.005
    assert balance.get("broker", 0.0) == pytest.approx(seasons["broker_profit"].sum(), abs=0.005)
    assert abs(balance.get("escrow", 0.0)) < 0.005
    for owner in range(found.owner_terms.owners):
        paid = table["version_owners"]["payment"][table["version_owners"]["owner"] == owner].sum()
        assert balance.get(f"owner {owner}", 0.0) == pytest.approx(paid, abs=0.005)


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_money_balances_to_the_cent_and_gains_add_up(data):
    draw = data.draw
    sale = {
        "pricing": draw(st.sampled_from(sorted(PRICING_RULES))),
        "cut": draw(st.sampled_from([0.0, 0.3, 0.9])),
    }
    best = draw(st.booleans())
    if not best:
        sale["pool"] = draw(st.sampled_from([None, 0.01, 5.0, 400.0]))
    found = market(
        sale=sale,
        best_pool=best,
        p=draw(st.sampled_from([1.0, 2.0])),
        lie=[draw(st.sampled_from([1.0, 0.5, 2.0])), *[1.0] * 11],
        seed=draw(st.integers(0, 50)),
        settlement=draw(st.sampled_from(["fixed", "shared"])),
        assignment=draw(st.sampled_from(["chosen", "reported"])),
        arbitrageurs=draw(st.sampled_from([0.0, 0.5, 1.0])),
        draws=draw(st.sampled_from(["independent", "nested"])),
        privacy=PrivacyRule(
            draw(st.sampled_from([0.0, 0.2])), draw(st.sampled_from([5.0, np.inf]))
        ),
    )
    assert_adds_up(found, tables(found))


def test_two_rounds_with_a_lowered_label_add_up():
    found = market(sale={"pool": 0.01, "lowest": "lower", "pricing": "flat"}, arbitrageurs=0.5)
    table = tables(found, 2)
    assert_adds_up(found, table)
    assert (table["versions_seasons"]["versions_sold"] == 1).all()


def test_fixed_settlement_pays_the_pool_in_full_even_at_a_loss():
    found = market(sale={"pool": 2000.0})
    row = tables(found)["versions_seasons"]
    assert row["paid"][0] == pytest.approx(2000.0)
    assert row["broker_profit"][0] < 0


def test_shared_settlement_pays_a_share_of_what_came_in():
    found = market(sale={"cut": 0.25}, settlement="shared")
    row = tables(found)["versions_seasons"]
    assert row["revenue"][0] > 0
    assert row["paid"][0] == pytest.approx(0.75 * row["revenue"][0])
    assert row["broker_profit"][0] == pytest.approx(0.25 * row["revenue"][0])


def test_owners_lose_nothing_at_the_equilibrium_of_a_fixed_pool():
    found = market(privacy=PrivacyRule(0.2, 3.0))
    table = tables(found)
    assert (table["version_owners"]["utility"] >= -1e-9).all()
    assert table["versions_seasons"]["regret"][0] <= 1e-9


@pytest.mark.parametrize("settlement", ["fixed", "shared"])
def test_a_pool_too_small_for_the_lowest_version_is_no_trade(settlement):
    found = market(sale=NOTHING, settlement=settlement)
    table = tables(found)
    row = {name: values[0] for name, values in table["versions_seasons"].items()}
    assert row["status"].startswith("no trade: the model reaches")
    assert (row["trade"], row["versions_sold"], row["paid"], row["welfare"]) == (0, 0, 0, 0)
    assert set(table["version_buyers"]["status"]) == {"no trade"}
    assert not len(table["ledger"]["amount"])


def test_owners_nobody_can_attract_are_no_trade():
    found = market(privacy=PrivacyRule(50.0, 60.0), sale={"pool": 10.0})
    row = tables(found)["versions_seasons"]
    assert row["trade"][0] == 0
    assert row["status"][0].startswith("no trade")


def test_one_owner_alone_is_no_trade_with_the_reason():
    found = market(owners=1, sale={"pool": 10.0})
    assert "owner 0 is alone" in tables(found)["versions_seasons"]["status"][0]
    assert market(owners=1, sale={"pool": 10.0}, best_pool=False).contest.owners == 1


def test_a_broker_who_would_lose_does_not_trade():
    found = market(cost=np.linspace(5e4, 9e4, 12), best_pool=True)
    assert "would earn" in tables(found)["versions_seasons"]["status"][0]


def test_versions_above_what_liars_promised_are_not_sold():
    found = market(lie=0.2, sale={"pool": 6.0})
    table = tables(found)
    row = {name: values[0] for name, values in table["versions_seasons"].items()}
    honest = tables(market(sale={"pool": 6.0}))["versions_seasons"]["versions_sold"][0]
    assert row["versions_planned"] > row["versions_sold"] == honest
    assert "planned versions sold" in row["status"]
    assert row["paid"] == pytest.approx(6.0)
    dropped = table["version_buyers"]["wanted"] >= row["versions_sold"]
    assert not table["version_buyers"]["paid"][dropped].any()


def test_the_same_seed_gives_the_same_bytes_and_another_does_not():
    first, second = tables(market(arbitrageurs=0.5), 2), tables(market(arbitrageurs=0.5), 2)
    other = tables(market(arbitrageurs=0.5, seed=4), 2)
    for name, table in first.items():
        for column, values in table.items():
            assert values.tolist() == second[name][column].tolist() or (
                values.dtype == float and values.tobytes() == second[name][column].tobytes()
            )
    assert first["versions_seasons"]["revenue"].tolist() != (
        other["versions_seasons"]["revenue"].tolist()
    )


def test_answers_in_turn_come_to_the_equilibrium():
    for bounds in (PrivacyRule(), PrivacyRule(0.3, 2.0)):
        for p in (1.0, 2.0):
            still = market(privacy=bounds, p=p, sale={"pool": 9.0})
            turns = market(privacy=bounds, p=p, sale={"pool": 9.0}, choice=RespondInTurn(2000))
            still.step(), turns.step()
            assert turns.last.choice.sweeps > 1
            assert np.allclose(turns.last.epsilon, still.last.epsilon, rtol=1e-6, atol=1e-6)


def test_objects_say_what_the_columns_say():
    found = market(arbitrageurs=0.4)
    table = tables(found, 2)
    owner, buyer = found.owner(3), found.buyer(7)
    mine = table["version_owners"]["owner"] == 3
    assert owner.epsilon == table["version_owners"]["epsilon"][mine][-1]
    assert owner.money == pytest.approx(table["version_owners"]["payment"][mine].sum())
    assert owner.privacy_spent == table["version_owners"]["privacy_spent"][mine][-1]
    assert owner.cost == table["version_owners"]["cost"][mine][0]
    last = np.flatnonzero(table["version_buyers"]["buyer"] == 7)[-1]
    for name in ("wanted", "value", "paid", "surplus"):
        assert getattr(buyer, name) == table["version_buyers"][name][last]
    assert owner.market is buyer.market is found


def test_buyers_of_a_round_without_trade_paid_nothing():
    found = market(sale=NOTHING)
    found.step()
    assert (found.buyer(0).paid, found.buyer(0).surplus) == (0.0, 0.0)


def test_privacy_composes_exactly_over_rounds():
    found = market(noise=OwnerNoise(rounds=3))
    table = tables(found, 3)["version_owners"]
    mine = table["owner"] == 0
    assert np.all(np.diff(table["privacy_spent"][mine]) > 0)
    once = OwnerNoise(rounds=3).spent(table["noise"][mine][:1], [50.0])[0]
    assert table["privacy_spent"][mine][0] == pytest.approx(once, rel=1e-6)
    assert once <= table["epsilon"][mine][0]  # the zcdp noise is more than needed


def test_the_guarantee_towards_buyers_counts_earlier_rounds_and_absent_owners():
    one, many = market(p=1.0), market(p=1.0, noise=OwnerNoise(rounds=9))
    one.step(), many.step()
    labels = np.array(LAW.labels)
    scale = one.terms.noise.labels(12 * 50.0)
    inside = 50.0 * (one.last.epsilon > 0).sum()
    assert inside < 600.0
    given = one.tables()["versions"]["guarantee"]
    assert np.allclose(given, scale.guarantee(labels * 600.0 / inside))
    assert np.all(many.tables()["versions"]["guarantee"] > scale.guarantee(labels))


def test_no_round_no_views():
    with pytest.raises(ms.InvalidInput, match="call step first"):
        _ = market().last
    found = market()
    found.step()
    with pytest.raises(ms.InvalidInput, match="there are 12 owners, got number 12"):
        found.owner(12)
    with pytest.raises(ms.InvalidInput, match="there are 80 buyers, got number 80"):
        found.buyer(80)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"surveyed": 2}, "surveyed must be at least the 3 versions, got 2"),
        ({"sale": {"buyers": 1}}, "buyers must be at least the 3 versions, got 1"),
        ({"settlement": "later"}, "settlement must be one of 'fixed', 'shared', got 'later'"),
        ({"assignment": "drawn"}, "assignment must be one of"),
        ({"arbitrageurs": 1.5}, "arbitrageurs must be a share from 0 to 1"),
        ({"draws": "same"}, "draws must be 'independent' or 'nested'"),
        ({"noise": OwnerNoise(method="classic")}, "classic noise holds for epsilon below 1"),
        ({"best_pool": True, "sale": {"pool": 1.0}}, "the pool is either given or the best one"),
        ({"choice": "never"}, "choice must be one of 'equilibrium', 'in-turn', got 'never'"),
        ({"cost": np.array([1.0, -1.0])}, "cost"),
        ({"lie": 0.0}, "lie"),
        ({"lie": [1.0, 2.0]}, "lie must be one number or one for each of 12 owners"),
        ({"p": 0.5}, "p must be at least q"),
    ],
)
def test_bad_terms(wrong, message):
    with pytest.raises(ms.InvalidInput, match=message):
        market(**wrong)


def test_the_classic_noise_with_a_ceiling_below_one():
    found = market(noise=OwnerNoise(method="classic"), privacy=PrivacyRule(0.0, 0.9))
    table = tables(found)
    assert table["version_owners"]["epsilon"].max() <= 0.9
