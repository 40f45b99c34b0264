"""Records of the experiments on fair payments: users, what is computed, axes that are swept."""

from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from scenarios.parts import Count, Name, NonNegative, Part, Positive

Selection = Literal["optimistic", "pessimistic", "dynamics"]
Play = Literal["pure", "symmetric", "mixed"]
Parameter = Literal["cost", "cost_1", "cost_2", "cost_scale", "cost_bound", "users", "s2", "r2"]
MAPS = (("cost", "users"), ("cost_1", "cost_2"), ("s2", "r2"))
"""Pairs of axes whose whole plane can be solved at once."""
Level = Annotated[float, Field(ge=0)]


class UsersConfig(Part):
    """Users, what their data are worth together, and what each level costs them.

    `dp-mean` has `users` of them, who offer `level_values` (epsilon, infinity allowed);
    `federated-mean` has one for each entry of `data_size` (or `users` with the same), who choose
    level 0, 1 or 2. `costs` holds a row for each user, or one for all: a number a level, 0 first.
    """

    utility: Literal["dp-mean", "federated-mean"] = "dp-mean"
    users: Count | None = None
    level_values: tuple[Level, ...] = Field(default=(0.0, float("inf")), min_length=2)
    data_size: tuple[Positive, ...] = ()
    r2: Positive = 1.0
    s2: NonNegative = 1.0
    importance: tuple[NonNegative, ...] = ()
    group_mean: Literal["published", "inverse_variance"] = "published"
    min_group: Literal[1, 2] = 1
    costs: tuple[tuple[NonNegative, ...], ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.utility == "federated-mean" and not self.data_size:
            raise ValueError("a list data_size, one number a user, for 'federated-mean'")
        if self.utility == "dp-mean" and (self.data_size or self.importance):
            raise ValueError("no data_size and importance, which 'dp-mean' does not know")
        sizes = len(self.data_size)
        if sizes > 1 and self.users not in (None, sizes):
            raise ValueError(f"no users = {self.users} beside {sizes} entries of data_size")
        for key, entries in (("costs", self.costs), ("importance", self.importance)):
            if len(entries) > 1 and len(entries) != self.number:
                raise ValueError(f"one entry of {key} a user ({self.number}), or one for all")
        return self

    @property
    def number(self) -> int:
        """Number of users."""
        return self.users or max(len(self.data_size), len(self.costs), 1)


class PaymentsConfig(Part):
    """Fair payments of one profile: `profile` holds the level of every user."""

    name: Name
    title: str = ""
    users: UsersConfig
    profile: tuple[Level, ...] = Field(min_length=1)
    platform: bool = False
    presence: float = Field(default=1.0, gt=0, le=1)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.profile) != self.users.number:
            raise ValueError(
                f"a profile of {self.users.number} levels, one a user, got {len(self.profile)}"
            )
        return self


class AxisConfig(Part):
    """A parameter that is swept: `values`, or `points` from `low` to `high`, evenly or by ratio.

    "cost" sets the cost of the only paid level of all users, "cost_1" and "cost_2" those of the
    first and the second half of the users, "cost_scale" multiplies all costs; with "cost_bound"
    every user draws her cost uniformly between 0 and it; the others are keys of the users.
    """

    parameter: Parameter
    values: tuple[NonNegative, ...] = ()
    low: NonNegative | None = None
    high: Positive | None = None
    points: int = Field(default=0, ge=0)
    scale: Literal["linear", "log"] = "linear"

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if bool(self.values) == bool(self.points):
            raise ValueError("either a list of values, or low, high and points")
        if self.points and (self.low is None or self.high is None or self.high < self.low):
            raise ValueError("low and high, ascending, beside points")
        if self.points and self.scale == "log" and not self.low:
            raise ValueError("a positive low, for scale = 'log'")
        whole = all(value == round(value) and value >= 1 for value in self.grid)
        if self.parameter == "users" and not whole:
            raise ValueError("whole numbers of users, at least 1")
        return self

    @property
    def grid(self) -> tuple[float, ...]:
        """The values, in order; numbers of users are rounded."""
        if self.values:
            return self.values
        low, high = self.low or 0.0, self.high or 0.0
        space = np.geomspace if self.scale == "log" else np.linspace
        grid = space(low, high, self.points)
        if self.parameter == "users":
            grid = np.unique(np.rint(grid))
        return tuple(grid.tolist())


class StudyConfig(Part):
    """One question to the platform: its best share for each way of play, over zero to two axes.

    Attributes
    ----------
    selections
        Which pure equilibrium is played: the platform's favorite, its worst, or where best
        response goes.
    plays
        "pure", "symmetric" (mixed, identical users) or "mixed" (two users of different costs).
    start
        Where best response starts.
    partitions
        List every pure equilibrium with its interval of alpha.
    profile
        A profile to follow in that list: the level number of each user.
    starts
        Random starts of best response at the platform's favorite share; 0 for none.
    regret
        Certify every point. Without, a map over (cost, users), (cost_1, cost_2) or (s2, r2) is
        solved for all points at once.
    draws
        Drawn sets of costs behind the value of knowing them, on the axis "cost_bound".
    """

    name: Name
    title: str = ""
    users: UsersConfig = UsersConfig()
    x: AxisConfig | None = None
    y: AxisConfig | None = None
    plays: tuple[Play, ...] = Field(default=("pure",), min_length=1)
    selections: tuple[Selection, ...] = Field(default=("optimistic",), min_length=1)
    start: Literal["private", "random"] = "private"
    partitions: bool = False
    profile: tuple[int, ...] = ()
    starts: int = Field(default=0, ge=0)
    regret: bool = True
    draws: int = Field(default=400, ge=2)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not self.regret and self.parameters not in MAPS:
            raise ValueError(
                "a map over (cost, users), (cost_1, cost_2) or (s2, r2), where regret is left out"
            )
        if not self.regret and (len(self.plays), self.selections) != (1, ("optimistic",)):
            raise ValueError("one play and the optimistic selection, where regret is left out")
        if "cost_bound" in self.parameters and len(self.users.level_values) != 2:
            raise ValueError("two levels, for costs that are drawn up to cost_bound")
        if self.y is not None and self.x is None:
            raise ValueError("an axis x, where there is an axis y")
        if self.x is not None and (self.partitions or self.starts):
            raise ValueError("no axis beside partitions or starts, which are of one market")
        if self.x and self.y and self.x.parameter == self.y.parameter:
            raise ValueError("different parameters on the axes x and y")
        return self

    @property
    def parameters(self) -> tuple[str, ...]:
        """What is swept, x before y."""
        return tuple(axis.parameter for axis in (self.x, self.y) if axis is not None)
