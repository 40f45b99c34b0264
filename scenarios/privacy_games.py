"""Records of the experiments "mean-field" and "bidding": how play of the privacy game settles."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from scenarios.parts import Count, Name, NonNegative, Part, Positive, as_entries

Grid = tuple[Count, Annotated[int, Field(ge=2)]]
MethodName = Literal["newton", "damped", "fictitious-play", "mirror-descent"]
Players = Annotated[int, Field(ge=2)]


class MeanFieldConfig(Part):
    """One mean field game; see `market_sim.MeanFieldGame`.

    Attributes
    ----------
    law
        Law of the unit values at the start, that of the privacy auction game with this name.
    privacy
        What each owner can sell in her lifetime, epsilon.
    cap
        The most that is sold in a round, epsilon.
    budget
        Money an owner in each round: one number, or one a round.
    reversion, mean_value, volatility
        How values move; not at all by default.
    curvature
        kappa.
    value_range
        Where values are reflected; needed for laws without a greatest value.
    methods
        Solvers, the first of which is shown in detail.
    grids
        Cells of value and nodes of privacy, the first of which is shown in detail; the first
        method is run on each.
    players
        Numbers of owners at which a deviation from the policy is measured.
    markets
        Markets simulated for each of them.
    """

    name: Name
    title: str = ""
    law: Literal["uniform", "bimodal", "realistic"] = "uniform"
    privacy: Positive = 20.0
    cap: Positive = 2.0
    budget: Annotated[tuple[NonNegative, ...], BeforeValidator(as_entries)] = (0.25,)
    rounds: Count = 20
    reversion: NonNegative = 0.0
    mean_value: NonNegative | None = None
    volatility: NonNegative = 0.0
    curvature: NonNegative = 0.0
    value_range: tuple[NonNegative, Positive] | None = None
    methods: Annotated[tuple[MethodName, ...], BeforeValidator(as_entries)] = ("newton",)
    grids: tuple[Grid, ...] = ((100, 100),)
    players: tuple[Players, ...] = ()
    markets: Count = 200

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.budget) not in (1, self.rounds):
            raise ValueError(f"one budget or one for each of the {self.rounds} rounds")
        for key in ("methods", "grids"):
            values = getattr(self, key)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"one or more different {key}, got {list(values)}")
        if len(set(self.players)) < len(self.players):
            raise ValueError(f"different numbers of players, got {list(self.players)}")
        return self

    def variants(self) -> list[tuple[MethodName, Grid]]:
        """Return the pairs of method and grid that are solved."""
        first = [(self.methods[0], grid) for grid in self.grids]
        return first + [(method, self.grids[0]) for method in self.methods[1:]]


class BiddingConfig(Part):
    """How bidding games are solved and what else is measured of each rule.

    Attributes
    ----------
    steps, profiles, values
        Best responses, draws of the others a step, and knots of a strategy.
    bids, offers
        Points of the menu of reports: values, and parts of the own cap.
    fixed_cap
        Whether owners can lie in their value only.
    judged
        Markets in which purchases at the truth and in equilibrium are compared.
    coalitions
        Sizes of coalitions that lie together; none to leave them out.
    coalition_profiles
        Markets in which they are tried.
    crowds
        Numbers of owners at which the regret of the truth is measured, the budget an owner being
        the same; none to leave it out.
    crowd_draws
        Owners drawn to measure it: so many by their number are the profiles, at least 20.
    """

    steps: Count = 40
    profiles: Annotated[int, Field(ge=2)] = 300
    values: Count = 17
    bids: Annotated[int, Field(ge=2)] = 65
    offers: Count = 4
    fixed_cap: bool = False
    judged: Annotated[int, Field(ge=2)] = 400
    coalitions: tuple[Count, ...] = (2, 3)
    coalition_profiles: Count = 8
    crowds: tuple[Players, ...] = ()
    crowd_draws: Count = 20_000

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.crowds) == 1 or len(set(self.crowds)) < len(self.crowds):
            raise ValueError(f"crowds: none, or two and more different ones, got {self.crowds}")
        if len(set(self.coalitions)) < len(self.coalitions):
            raise ValueError(f"different sizes of coalitions, got {self.coalitions}")
        return self
