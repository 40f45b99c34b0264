"""Roles: what participants of a market for models want, say, send, and when they are there."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal, get_args

from market_sim.errors import InvalidInput
from market_sim.shapes import as_floats, whole_number

AttackKind = Literal["sign-flip", "label-shuffle", "gaussian", "constant"]


@dataclass(frozen=True)
class Terms:
    """What is true of a participant, or what she says.

    Attributes
    ----------
    data_size
        N_i, samples.
    gain
        K_i, what accuracy is worth to her.
    cost
        c_i, money for each export of her model.
    """

    data_size: float
    gain: float
    cost: float


class Role(ABC):
    """How a participant behaves; a subclass may override what it likes.

    Attributes
    ----------
    kind
        Name of the role in tables.
    attack
        What she sends instead of her model, if not her model.
    """

    kind: str = "participant"
    attack: AttackKind | None = None

    @abstractmethod
    def truth(self, data_size: float) -> Terms:
        """Return what is true of her, given how many samples she holds."""

    def says(self, truth: Terms, round_: int) -> Terms:
        """Return what she tells the broker; the truth, unless a subclass lies."""
        return truth

    def present(self, round_: int) -> bool:
        """Tell whether she takes part in a round."""
        return True


@dataclass(frozen=True)
class Trader(Role):
    """Imports and exports: accuracy is worth something to her, and exports are not dear.

    Parameters
    ----------
    gain
        K_i >= 0.
    cost
        c_i >= 0 for each export.
    joins, leaves
        She takes part in rounds joins, ..., leaves - 1; never leaves if None.

    Raises
    ------
    InvalidInput
        If a number is negative or not finite, or she leaves before she joins.

    Notes
    -----
    Source: iPFL [S], K = 5e5 and C = 1; joining and leaving [D].
    """

    gain: float = 5e5
    cost: float = 1.0
    joins: int = 0
    leaves: int | None = None
    kind = "trader"

    def __post_init__(self) -> None:
        for name in ("gain", "cost"):
            if as_floats(name, getattr(self, name), minimum=0.0).ndim:
                raise InvalidInput(f"{name} of a role must be one number, got several")
        whole_number("joins", self.joins, 0)
        if self.leaves is not None:
            whole_number("leaves", self.leaves, self.joins + 1)

    def truth(self, data_size: float) -> Terms:
        """See `Role.truth`."""
        return Terms(data_size, float(self.gain), float(self.cost))

    def present(self, round_: int) -> bool:
        """See `Role.present`."""
        return self.joins <= round_ and (self.leaves is None or round_ < self.leaves)


@dataclass(frozen=True)
class Buyer(Trader):
    """Imports only: her exports would cost 1,000 each. Source: iPFL [S]."""

    cost: float = 1000.0
    kind = "buyer"


@dataclass(frozen=True)
class Seller(Trader):
    """Exports only: accuracy is worth nothing to her, exports are free. Source: iPFL [S]."""

    gain: float = 0.0
    cost: float = 0.0
    kind = "seller"


@dataclass(frozen=True)
class Attacker(Seller):
    """Sells at no cost what is not her model; see `market_sim.learning`'s attacks.

    Parameters
    ----------
    attack
        "sign-flip", "label-shuffle", "gaussian" or "constant".

    Raises
    ------
    InvalidInput
        If the attack is unknown.

    Notes
    -----
    Source: iPFL [S], four attacks.
    """

    attack: AttackKind | None = "sign-flip"
    kind = "attacker"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.attack not in get_args(AttackKind):
            known = ", ".join(map(repr, get_args(AttackKind)))
            raise InvalidInput(f"attack must be one of {known}, got {self.attack!r}")


@dataclass(frozen=True)
class Liar(Trader):
    """Reports multiples of her cost, her size and her gain.

    Parameters
    ----------
    cost_factor, gain_factor
        >= 0; 1 is the truth.
    size_factor
        > 0; 1 is the truth.

    Raises
    ------
    InvalidInput
        If a factor is outside its domain.
    """

    cost_factor: float = 1.0
    size_factor: float = 1.0
    gain_factor: float = 1.0
    kind = "liar"

    def __post_init__(self) -> None:
        super().__post_init__()
        as_floats("cost_factor", self.cost_factor, minimum=0.0)
        as_floats("gain_factor", self.gain_factor, minimum=0.0)
        as_floats("size_factor", self.size_factor, positive=True)

    def says(self, truth: Terms, round_: int) -> Terms:
        """See `Role.says`."""
        return Terms(
            self.size_factor * truth.data_size,
            self.gain_factor * truth.gain,
            self.cost_factor * truth.cost,
        )


@dataclass(frozen=True)
class Leaver(Trader):
    """A trader who is there for some rounds only, the first ten if nothing is said."""

    leaves: int | None = 10
    kind = "leaver"


ROLES: dict[str, type[Trader]] = {
    "trader": Trader,
    "buyer": Buyer,
    "seller": Seller,
    "attacker": Attacker,
    "liar": Liar,
    "leaver": Leaver,
}
"""Roles by name."""
