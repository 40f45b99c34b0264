"""Markets whose answer is known, shared by tests, documentation and benchmarks.

Each record holds the question, the answer and where the answer comes from; nothing here computes an
auction. `UNDERBIDDING` is the smallest market in which the published payment rewards a lie.
`SIZE_LAW` holds the mean error bounds of 20,000 sampled markets.
"""

from dataclasses import dataclass

import numpy as np

from market_sim.population import Population, PopulationLaw, budgets, fl_market_2022
from market_sim.reports import Reports
from market_sim.shapes import Array


@dataclass(frozen=True)
class KnownOutcome:
    """What All-in does with the reports of a `KnownAuction` under one payment rule.

    Attributes
    ----------
    payment
        The rule: "critical", "singer" or "published".
    truth_epsilon, truth_paid
        Privacy sold and money received by each owner if all report the truth.
    lie_epsilon, lie_paid
        The same if the liar reports her lie.
    gain
        What the lie adds to the liar's utility.
    """

    payment: str
    truth_epsilon: tuple[float, ...]
    truth_paid: tuple[float, ...]
    lie_epsilon: tuple[float, ...]
    lie_paid: tuple[float, ...]
    gain: float


@dataclass(frozen=True)
class KnownAuction:
    """A market of single-minded owners with known outcomes, at truth and at one owner's lie.

    Attributes
    ----------
    budget
        The buyer's money.
    value, cap
        What each owner asks for her whole cap, and the cap.
    liar, lie
        Which owner misreports, and the value she reports.
    outcomes
        One record a payment rule.
    source
        Where the numbers come from.
    """

    budget: float
    value: tuple[float, ...]
    cap: tuple[float, ...]
    liar: int
    lie: float
    outcomes: tuple[KnownOutcome, ...]
    source: str

    def truth(self) -> Reports:
        """Return the truthful reports, shape `(owners,)`."""
        return Reports.single_minded(value=self.value, cap=self.cap)

    def misreport(self) -> Reports:
        """Return the reports in which the liar lies and all others tell the truth."""
        value = list(self.value)
        value[self.liar] = self.lie
        return Reports.single_minded(value=value, cap=self.cap)


UNDERBIDDING = KnownAuction(
    budget=7.0,
    value=(6.0, 1.8),
    cap=(4.0, 1.0),
    liar=1,
    lie=1.4,
    outcomes=(
        KnownOutcome("published", (4.0, 0.0), (7.0, 0.0), (0.0, 1.0), (0.0, 7.0), gain=5.2),
        KnownOutcome("critical", (4.0, 0.0), (7.0, 0.0), (0.0, 1.0), (0.0, 1.5), gain=-0.3),
        KnownOutcome("singer", (4.0, 0.0), (7.0, 0.0), (0.0, 1.0), (0.0, 1.5), gain=-0.3),
    ),
    source="FL-Market, Algorithm 4 [S]; counterexample to Proposition 5.1 and the other rules [D]",
)
"""The losing second owner asks 1.4 instead of 1.8, evicts the first one and is paid all of B."""


@dataclass(frozen=True)
class SizeLawAnchor:
    """Mean error bound of one payment rule at one budget rate, over markets with a winner.

    Attributes
    ----------
    payment
        Payment rule of All-in; the published payment has the allocation of "critical".
    rate
        B = rate * sum_i s_i v_i(eps_bar_i).
    error_bound
        Mean of the error bound with exact ErrorOpt weights, clip 1, dimension 1.
    winnerless
        Share of the markets in which nobody wins; they are not part of the mean.
    """

    payment: str
    rate: float
    error_bound: float
    winnerless: float


@dataclass(frozen=True)
class SizeLaw:
    """The reference law of data sizes with its measured error bounds.

    Attributes
    ----------
    profiles
        Number of independent markets behind each mean.
    tolerance
        Relative distance within which a reproduction is to lie.
    anchors
        The measured means.
    source
        Where the numbers come from.
    """

    profiles: int
    tolerance: float
    anchors: tuple[SizeLawAnchor, ...]
    source: str

    @property
    def law(self) -> PopulationLaw:
        """The law of the owners: s_i = 10 + 32.636 exp(2 z_i) / exp(2), eps_bar ~ U[0.5, 2]."""
        return fl_market_2022(owners=10, max_cap=2.0)

    def sample(self, seed: int, profiles: int | None = None) -> Population:
        """Draw the markets, `profiles` of them (by default as many as behind the anchors)."""
        rng = np.random.default_rng(seed)
        return self.law.sample(rng, (self.profiles if profiles is None else profiles,))

    @staticmethod
    def budget(population: Population, rate: float) -> Array:
        """Return the buyer's money at a rate, shape `profiles`."""
        return budgets(population, rate, "proportional")


SIZE_LAW = SizeLaw(
    profiles=20_000,
    tolerance=0.02,
    anchors=(
        SizeLawAnchor("critical", 0.10, 6.891, 0.0),
        SizeLawAnchor("critical", 0.25, 3.977, 0.0),
        SizeLawAnchor("critical", 0.50, 2.548, 0.0),
        SizeLawAnchor("critical", 1.00, 1.514, 0.0),
        SizeLawAnchor("critical", 2.00, 0.953, 0.0),
        SizeLawAnchor("singer", 0.10, 8.65, 0.085),
        SizeLawAnchor("singer", 0.25, 5.08, 0.025),
        SizeLawAnchor("singer", 0.50, 3.13, 0.007),
        SizeLawAnchor("singer", 1.00, 1.563, 0.0),
        SizeLawAnchor("singer", 2.00, 0.953, 0.0),
    ),
    source="FL-Market, setting of the later version [S] with sizes made well defined [D]",
)
"""All-in under the reference size law at five budget rates."""
