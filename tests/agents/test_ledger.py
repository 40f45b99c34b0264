"""The ledger: double entry in money and privacy, and what its check finds."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import market_sim as ms
from agents import BuyerTerms, Ledger, Scaled
from agents.ledger import ENDOWMENT, ESCROW
from market_sim.privacy import GaussianPerturbation, LaplacePerturbation, compose

PERTURBATIONS = [LaplacePerturbation(), GaussianPerturbation(delta=1e-5)]


@pytest.fixture
def ledger():
    return Ledger(("ada", "bob"), 3, LaplacePerturbation())


@dataclass(frozen=True)
class PayDouble(ms.Mechanism):
    """Buys everything from everybody and pays twice the reported value: no budget is enough."""

    @property
    def guarantees(self):
        return ms.Guarantees(individually_rational=True)

    @property
    def name(self):
        return "pay-double"

    def clear(self, reports, budget):
        return ms.Outcome(reports.cap, 2.0 * reports.value, budget, reports.data_size)


def replayed(tables, names):
    """Return the balances of both currencies, from nothing but the journal on paper."""
    balances = {currency: dict.fromkeys(names, 0.0) for currency in ("money", "privacy")}
    table = tables["ledger"]
    for currency, debit, credit, amount in zip(
        table["currency"], table["debit"], table["credit"], table["amount"], strict=True
    ):
        balances[currency][debit] -= amount
        balances[currency][credit] += amount
    return balances


def names_of(market):
    ledger = market.ledger
    return ledger.label(np.arange(len(ledger.balances["money"]))).tolist()


def test_accounts_have_names(ledger):
    expected = ["endowment", "escrow", "ada", "bob", "owner 0", "owner 1", "owner 2"]
    assert ledger.label(np.arange(7)).tolist() == expected


def test_a_transfer_moves_money_and_is_written_down(ledger):
    ledger.transfer(4, "money", ENDOWMENT, ledger.buyer_account(1), 5.0)
    assert ledger.balances["money"].tolist() == [-5, 0, 0, 5, 0, 0, 0]
    assert ledger.balances["privacy"].tolist() == [0] * 7
    (entries,) = ledger.journal
    assert (entries.round, entries.currency, entries.amount.tolist()) == (4, "money", [5.0])
    ledger.check()


def test_several_amounts_to_one_account_all_arrive(ledger):
    rows = np.array([0, 0, 2])
    ledger.transfer(0, "money", ledger.owner_accounts(rows), ledger.buyer_account(0), [1, 2, 4])
    assert ledger.balances["money"].tolist() == [0, 0, 7, 0, -3, 0, -4]
    ledger.check()


def test_zero_amounts_leave_no_entry(ledger):
    ledger.transfer(0, "money", ENDOWMENT, ledger.owner_accounts(np.arange(3)), [0.0, 1.0, 0.0])
    assert ledger.journal[0].credit.tolist() == [5]


@pytest.mark.parametrize("amount", [-1.0, np.nan, np.inf])
def test_no_negative_or_endless_amounts(ledger, amount):
    with pytest.raises(ms.InvalidInput, match="amount"):
        ledger.transfer(0, "money", ENDOWMENT, 2, amount)
    assert not ledger.journal


def test_a_ledger_needs_an_owner():
    with pytest.raises(ms.InvalidInput, match="at least one owner"):
        Ledger(("ada",), 0, LaplacePerturbation())


def test_what_is_read_is_a_copy(ledger):
    ledger.owner_money[:] = 9.0
    ledger.owner_privacy[:] = 9.0
    assert not ledger.owner_money.any()
    assert not ledger.owner_privacy.any()
    ledger.check()


@pytest.mark.parametrize("currency", ["money", "privacy"])
@pytest.mark.parametrize("account", ["escrow", "ada", "owner 2"])
def test_a_balance_written_directly_is_found(ledger, currency, account):
    ledger.transfer(0, currency, ENDOWMENT, ledger.owner_accounts(np.arange(3)), 5.0)
    ledger.check()
    place = ledger.label(np.arange(7)).tolist().index(account)
    ledger.balances[currency][place] += 1e-6
    with pytest.raises(ms.LedgerImbalance, match=f"{currency} balance of {account} is"):
        ledger.check()


def test_a_balance_that_is_no_number_is_found(ledger):
    ledger.balances["money"][3] = np.nan
    with pytest.raises(ms.LedgerImbalance, match="bob"):
        ledger.check()


def test_two_direct_writes_that_cancel_are_found(ledger):
    ledger.balances["money"][[4, 5]] = [1.0, -1.0]
    with pytest.raises(ms.LedgerImbalance, match="owner 0"):
        ledger.check()


def test_small_sums_are_watched_as_closely_as_large_ones(ledger):
    ledger.transfer(0, "money", ENDOWMENT, 4, 1e-12)
    ledger.balances["money"][5] += 1e-15
    with pytest.raises(ms.LedgerImbalance, match="owner 1"):
        ledger.check()


def test_a_lost_entry_is_found(ledger):
    ledger.transfer(0, "money", ENDOWMENT, 2, 5.0)
    ledger.transfer(0, "money", 2, 4, 5.0)
    ledger.journal.pop()
    with pytest.raises(ms.LedgerImbalance, match="sum to"):
        ledger.check()


def test_an_entry_of_an_earlier_round_that_is_lost_is_found(ledger):
    ledger.transfer(0, "money", ENDOWMENT, 2, 5.0)
    ledger.check()
    ledger.journal.pop()
    with pytest.raises(ms.LedgerImbalance, match="1 entries of earlier rounds are missing"):
        ledger.check()


def test_an_escrow_that_is_not_emptied_is_found(ledger):
    ledger.transfer(0, "money", ENDOWMENT, ESCROW, 5.0)
    with pytest.raises(ms.LedgerImbalance, match="5 of money is left in escrow"):
        ledger.check()


def test_a_composed_loss_written_directly_is_found(ledger):
    ledger.sell_privacy(0, 0, np.array([1]), np.array([0.5]))
    ledger.check()
    ledger.privacy_loss[1] = 0.0
    with pytest.raises(ms.LedgerImbalance, match="composed loss of owner 1 is 0 but"):
        ledger.check()


def test_a_tampered_market_stops_in_the_same_round(population, market):
    one = market(population())
    one.step()
    one.ledger.balances["money"][-1] += 1.0
    with pytest.raises(ms.LedgerImbalance, match="owner 7"):
        one.step()


def test_a_broker_who_keeps_the_change_is_found(population, market):
    one = market(population(), budget=0.01)  # too little for anybody
    one.broker.refund = lambda *_: None
    with pytest.raises(ms.LedgerImbalance, match="left in escrow"):
        one.run(3)


def test_a_broker_who_forgets_to_pay_is_found(population, market):
    one = market(population())
    pay = one.ledger.transfer

    def forgetful(round_, currency, debit, credit, amount):
        if np.ndim(credit) == 0:
            pay(round_, currency, debit, credit, amount)

    one.ledger.transfer = forgetful
    with pytest.raises(ms.LedgerImbalance, match="left in escrow"):
        one.step()


@given(
    seed=st.integers(0, 10**6),
    owners=st.integers(1, 15),
    payment=st.sampled_from(["critical", "singer", "published", "double"]),
    rates=st.lists(st.floats(1e-3, 3.0), min_size=1, max_size=3),
    scale=st.sampled_from([1e-9, 1.0, 1e9]),
    lifetime=st.sampled_from([np.inf, 4.0]),
    rounds=st.integers(1, 4),
)
def test_random_rounds_balance_and_the_journal_alone_tells_it(  # noqa: PLR0917 - hypothesis
    population, market, seed, owners, payment, rates, scale, lifetime, rounds
):
    drawn = population(owners, seed, lifetime_cap=lifetime)
    people = ms.Population(
        drawn.valuations.scaled(scale), drawn.cap, lifetime_cap=drawn.lifetime_cap
    )
    money = float(ms.budgets(people, 1.0, "proportional"))
    buyers = [BuyerTerms(f"buyer {i}", rate * money) for i, rate in enumerate(rates)]
    mechanism = PayDouble() if payment == "double" else ms.AllIn(payment)
    one = market(people, buyers=buyers, mechanism=mechanism, seed=seed)
    one.run(rounds)
    turnover = max(float(one.tables()["ledger"]["amount"].sum()), 1e-300)
    for currency, balances in replayed(one.tables(), names_of(one)).items():
        kept = one.ledger.balances[currency]
        np.testing.assert_allclose(list(balances.values()), kept, atol=1e-12 * turnover)
        assert abs(kept.sum()) <= 1e-12 * turnover
        assert abs(kept[ESCROW]) <= 1e-12 * turnover
        assert (kept[2 + len(buyers) :] * (1 if currency == "money" else -1) >= 0).all()


def test_the_money_of_owners_and_buyers_is_that_of_the_tables(population, market, rows_of):
    one = market(population(12), buyers=[BuyerTerms("ada", 9.0), BuyerTerms("bob", 4.0)])
    one.run(4)
    tables = one.tables()
    for row in range(12):
        paid = rows_of(tables["owners"], "payment", owner=row).sum()
        assert one.owner(row).money == pytest.approx(paid)
        assert one.owner(row).utility == pytest.approx(
            rows_of(tables["owners"], "utility", owner=row).sum()
        )
    for index, buyer in enumerate(one.buyers):
        spent = rows_of(tables["rounds"], "spent", buyer=buyer.name).sum()
        sold = rows_of(tables["rounds"], "epsilon_sold", buyer=buyer.name).sum()
        account = one.ledger.buyer_account(index)
        assert buyer.spent == pytest.approx(spent)
        assert one.ledger.balances["money"][account] == pytest.approx(0.0, abs=1e-12)
        assert one.ledger.balances["privacy"][account] == pytest.approx(sold)
    assert -one.ledger.balances["money"][ENDOWMENT] == pytest.approx(
        tables["rounds"]["spent"].sum()
    )


def test_a_rule_that_overspends_is_covered_by_the_buyer(population, market):
    people = population(5)
    asked = float(people.reports().value.sum())
    one = market(people, budget=asked, mechanism=PayDouble())
    one.step()
    rounds, ledger = one.tables()["rounds"], one.tables()["ledger"]
    assert rounds["budget"][0] == asked
    assert rounds["spent"][0] == pytest.approx(2 * asked)
    assert rounds["returned"][0] == 0.0
    into_escrow = ledger["amount"][ledger["credit"] == "escrow"]
    assert into_escrow == pytest.approx([asked, asked])
    assert one.buyers[0].spent == pytest.approx(2 * asked)
    assert one.ledger.owner_money == pytest.approx(2 * people.reports().value)


def test_an_endowment_overspent_ends_the_buying(population, market):
    people = population(5)
    asked = float(people.reports().value.sum())
    terms = BuyerTerms("ada", asked, endowment=1.5 * asked)
    one = market(people, buyers=[terms], mechanism=PayDouble())
    one.run(2)
    assert one.tables()["rounds"]["status"].tolist() == ["traded", "no money"]
    assert one.tables()["rounds"]["budget"].tolist() == [asked, 0.0]


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda p: p.name)
def test_composed_privacy_is_what_an_accountant_says(population, market, rows_of, perturbation):
    people = population(4, 3, cap=(0.3, 1.0))
    money = float(ms.budgets(people, 0.6, "proportional"))
    one = market(people, money, perturbation=perturbation, strategy=Scaled(1.0, 0.9))
    one.run(4)
    table = one.tables()["owners"]
    sellers = 0
    for row in range(4):
        sold = rows_of(table, "epsilon", owner=row)
        sellers += sold.any()
        spent = compose(perturbation, sold[sold > 0])
        assert one.owner(row).privacy_spent == pytest.approx(spent.epsilon, rel=2e-3)
        assert one.ledger.owner_privacy[row] == one.owner(row).privacy_spent
    assert sellers >= 2


@pytest.mark.parametrize("perturbation", PERTURBATIONS, ids=lambda p: p.name)
def test_privacy_spent_is_recorded_as_it_was_after_each_round(
    population, market, rows_of, perturbation
):
    one = market(population(6), budget=30.0, perturbation=perturbation)
    seen = []
    for _ in range(3):
        one.step()
        seen.append(one.ledger.owner_privacy)
    table = one.tables()["owners"]
    for round_, privacy in enumerate(seen):
        assert rows_of(table, "privacy_spent", round=round_).tolist() == privacy.tolist()
    assert (seen[0] < seen[2]).any()
