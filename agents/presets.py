"""Markets built from plain numbers, for notebooks and for Mesa's batch runner."""

import mesa

from agents.buyer import BuyerTerms
from agents.market import Market
from market_sim import AllIn, ErrorOpt, Streams, fl_market_2021
from market_sim.mechanisms.all_in import Payment
from market_sim.shapes import whole_number


class FLMarket(Market):
    """One buyer and a population drawn from the law of FL-Market's simulations, without learning.

    Every parameter is a number or a name, so `mesa.batch_run(FLMarket, {...})` works; the model
    collects what the buyer got in each round.

    Parameters
    ----------
    number_of_owners
        Owners drawn from `fl_market_2021`.
    budget
        The buyer's money each round.
    payment
        Payment rule of All-in.
    max_cap
        E, the upper bound of the caps.
    rounds
        Rounds until `running` turns false.
    seed
        Seed of all random streams; `rng` is the same, in Mesa's words.
    """

    def __init__(
        self,
        number_of_owners: int = 10,
        budget: float = 5.0,
        payment: Payment = "critical",
        max_cap: float = 5.0,
        rounds: int = 10,
        seed: int | None = None,
        rng: int | None = None,
    ) -> None:
        given = next((s for s in (seed, rng) if s is not None), 0)
        root = whole_number("seed", given, 0)
        law = fl_market_2021(number_of_owners, max_cap)
        super().__init__(
            law.sample(Streams(root).generator("population")),
            [BuyerTerms("buyer", budget)],
            mechanism=AllIn(payment=payment),
            aggregator=ErrorOpt(),
            seed=root,
            rounds=rounds,
        )
        self.datacollector = mesa.DataCollector(
            model_reporters={
                "spent": lambda market: market.buyers[0].spent,
                "epsilon_sold": lambda market: market.ledger.balances["privacy"][
                    market.ledger.buyer_account(0)
                ],
                "owner_utility": lambda market: market.recorder.owner_utility.sum(),
            }
        )
