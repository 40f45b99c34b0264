"""Records of the experiment "sharing": markets for models, and the incentives of their rules."""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from scenarios.items import Item
from scenarios.parts import Count, Name, NonNegative, Part, Positive, as_entries, as_tables

RoleName = Literal["trader", "buyer", "seller", "attacker", "liar", "leaver"]
MethodName = Literal["ipfl", "local", "fedavg", "fedprox", "ditto", "pfedgraph"]
RuleName = Literal["published", "vcg", "critical", "two_sided"]
GraphName = Literal["greedy", "exact"]


class RoleConfig(Part):
    """Participants of one role; what is left out is the role's own, see `agents.sharing`."""

    role: RoleName = "trader"
    number: Count = 1
    gain: NonNegative | None = None
    cost: NonNegative | None = None
    joins: Annotated[int, Field(ge=0)] | None = None
    leaves: Count | None = None
    attack: Literal["sign-flip", "label-shuffle", "gaussian", "constant"] | None = None
    cost_factor: NonNegative | None = None
    size_factor: Positive | None = None
    gain_factor: NonNegative | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.attack is not None and self.role != "attacker":
            raise ValueError(f"no key 'attack', which is only for role = 'attacker': {self.role!r}")
        factors = ("cost_factor", "size_factor", "gain_factor")
        if self.role != "liar" and any(getattr(self, name) is not None for name in factors):
            raise ValueError(f"no factors of lies, which are only for role = 'liar': {self.role!r}")
        return self

    def settings(self) -> dict[str, Any]:
        """Return what the role is told."""
        return self.model_dump(exclude={"role", "number"}, exclude_none=True)


class SharingConfig(Part):
    """One market for models: who takes part, how models are trained, who learns from whom.

    Attributes
    ----------
    participants
        Roles in the order of the participants, spread over the groups of the partition.
    methods
        Ways to learn from each other; under "ipfl" the market chooses the graph.
    rules
        Rules of payment; "ipfl" is run under each.
    graph
        "greedy" or "exact"; each rule's own if it is left out.
    partition
        Who holds what, if not as in the section [learning].
    penalty, step
        lambda and eta.
    local_steps, batch, momentum, weight_decay
        SGD of a round.
    constant
        What attackers with the attack "constant" send; "nan" to see how it is refused.
    """

    name: Name
    title: str = ""
    rounds: Count = 50
    participants: Annotated[tuple[RoleConfig, ...], BeforeValidator(as_tables)] = (
        RoleConfig(number=9),
    )
    methods: Annotated[tuple[MethodName, ...], BeforeValidator(as_entries)] = ("ipfl",)
    rules: Annotated[tuple[RuleName, ...], BeforeValidator(as_entries)] = ("published",)
    graph: GraphName | None = None
    partition: Item | None = None
    penalty: Positive = 2.0
    step: Positive = 5.0
    local_steps: Count = 200
    batch: Count = 64
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: NonNegative = 1e-5
    constant: float = 0.1

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for key in ("participants", "methods", "rules"):
            if not getattr(self, key):
                raise ValueError(f"at least one entry in {key}")
        for key in ("methods", "rules"):
            if len(set(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"different {key}, got {list(getattr(self, key))}")
        return self

    @property
    def number(self) -> int:
        """How many participants there are."""
        return sum(entry.number for entry in self.participants)

    def variants(self) -> list[tuple[str, str]]:
        """Return the pairs of method and rule that are run."""
        found: list[tuple[str, str]] = []
        for method in self.methods:
            rules = self.rules if method == "ipfl" else ("free",)
            found += [(method, rule) for rule in rules]
        return found


class IncentiveConfig(Part):
    """Random markets in which the promises of payment rules are tried.

    Attributes
    ----------
    markets
        How many random markets a seed draws.
    number, data_size, gain, cost, distance, penalty
        Their law, see `market_sim.sharing.SharingLaw`.
    rules
        Rules of payment, each on its own graph.
    lies
        Misreports a participant and kind of lie.
    shown
        Of how many markets the imports are listed one by one.
    """

    name: Name
    title: str = ""
    markets: Count = 100
    number: Annotated[int, Field(ge=2)] = 9
    data_size: tuple[Positive, Positive] = (100.0, 2000.0)
    gain: tuple[Positive, Positive] = (5e5, 5e5)
    cost: tuple[NonNegative, NonNegative] = (0.0, 5.0)
    distance: tuple[NonNegative, NonNegative] = (0.0, 1.0)
    penalty: NonNegative = 2.0
    rules: Annotated[tuple[RuleName, ...], BeforeValidator(as_entries)] = (
        "published",
        "vcg",
        "critical",
        "two_sided",
    )
    lies: Annotated[int, Field(ge=2)] = 16
    shown: Count = 20

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for key in ("data_size", "gain", "cost", "distance"):
            low, high = getattr(self, key)
            if low > high:
                raise ValueError(f"{key} in ascending order, got {low:g} and {high:g}")
        if not self.rules or len(set(self.rules)) < len(self.rules):
            raise ValueError(f"one or more different rules, got {list(self.rules)}")
        return self
