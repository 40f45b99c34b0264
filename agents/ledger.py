"""Double-entry ledger in money and in privacy: nothing is created or lost."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from market_sim.errors import InvalidInput, LedgerImbalance
from market_sim.privacy import Perturbation
from market_sim.shapes import Array, as_floats

Currency = Literal["money", "privacy"]
ENDOWMENT, ESCROW = 0, 1  # account numbers; then the buyers, then the owners
_TOLERANCE = 1e-9  # of the turnover: far above rounding, far below a lost payment


@dataclass(frozen=True)
class Entries:
    """Transfers of one kind in one round: `amount` leaves `debit` and arrives at `credit`."""

    round: int
    currency: Currency
    debit: NDArray[np.intp]
    credit: NDArray[np.intp]
    amount: Array


@dataclass
class Ledger:
    """Accounts of the endowment, the escrow, the buyers and the owners, in two currencies.

    Money comes from the endowment, waits in escrow while an auction runs, and ends with owners or
    goes back. Privacy (eps) leaves an owner and arrives at a buyer. What an owner has lost under
    composition is kept as an additive loss, see `Perturbation.loss`.

    Parameters
    ----------
    buyers
        Names of the buyers.
    owners
        Number of owners.
    perturbation
        How gradients are perturbed, which determines how privacy losses compose.
    member
        What an owner is called in names of accounts.
    """

    buyers: tuple[str, ...]
    owners: int
    perturbation: Perturbation
    journal: list[Entries] = field(default_factory=list)
    member: str = "owner"

    def __post_init__(self) -> None:
        if self.owners < 1:
            raise InvalidInput(f"a ledger needs at least one owner, got {self.owners}")
        accounts = self._first_owner + self.owners
        self.balances: dict[Currency, Array] = {
            "money": np.zeros(accounts),
            "privacy": np.zeros(accounts),
        }
        self.privacy_loss = np.zeros(self.owners)
        self._entered_loss = self.privacy_loss.copy()
        self._checked: dict[Currency, Array] = {k: v.copy() for k, v in self.balances.items()}
        self._next = 0

    @property
    def _first_owner(self) -> int:
        return 2 + len(self.buyers)

    def buyer_account(self, buyer: int) -> int:
        """Return the account number of a buyer."""
        return 2 + buyer

    def owner_accounts(self, rows: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the account numbers of owners."""
        return rows + self._first_owner

    def label(self, accounts: NDArray[np.intp]) -> NDArray[np.object_]:
        """Return the accounts by name: "endowment", "escrow", a buyer, or "owner 7"."""
        fixed = ["endowment", "escrow", *self.buyers]
        names = np.empty(len(accounts), dtype=object)
        for place, account in enumerate(accounts.tolist()):
            owner = account - self._first_owner
            names[place] = fixed[account] if owner < 0 else f"{self.member} {owner}"
        return names

    @property
    def owner_money(self) -> Array:
        """Money each owner has received so far, shape `(owners,)`; a copy."""
        return self.balances["money"][self._first_owner :].copy()

    @property
    def owner_privacy(self) -> Array:
        """Composed epsilon each owner has lost so far, shape `(owners,)`; a copy."""
        return np.array(self.perturbation.composed(self.privacy_loss))

    def transfer(
        self, round_: int, currency: Currency, debit: object, credit: object, amount: object
    ) -> None:
        """Move amounts >= 0 from accounts to accounts (broadcast together); zeros are left out.

        Raises
        ------
        InvalidInput
            If an amount is negative or not finite.
        """
        amounts = as_floats("amount", amount, minimum=0.0)  # type: ignore[arg-type]
        source, target, moved = np.broadcast_arrays(
            np.asarray(debit, dtype=np.intp), np.asarray(credit, dtype=np.intp), amounts
        )
        keep = moved.ravel() > 0
        entries = Entries(
            round_, currency, source.ravel()[keep], target.ravel()[keep], moved.ravel()[keep]
        )
        np.subtract.at(self.balances[currency], entries.debit, entries.amount)
        np.add.at(self.balances[currency], entries.credit, entries.amount)
        self.journal.append(entries)

    def sell_privacy(self, round_: int, buyer: int, rows: NDArray[np.intp], epsilon: Array) -> None:
        """Enter the sale of eps by owners to a buyer and add it to their composed losses."""
        accounts = self.owner_accounts(rows)
        self.transfer(round_, "privacy", accounts, self.buyer_account(buyer), epsilon)
        sold = np.flatnonzero(epsilon)  # the loss of a Gaussian sale is costly to compute
        loss = self.perturbation.loss(epsilon[sold])
        for column in (self.privacy_loss, self._entered_loss):
            np.add.at(column, rows[sold], loss)

    def expose(self, rows: NDArray[np.intp]) -> None:
        """Enter an infinite loss of owners whose gradients were delivered without noise."""
        for column in (self.privacy_loss, self._entered_loss):
            column[rows] = np.inf

    def check(self) -> None:
        """Prove that balances and losses follow from the entries, sum to zero, left no escrow.

        Raises
        ------
        LedgerImbalance
            Naming the currency, the account and the amounts.
        """
        if len(self.journal) < self._next:
            lost = self._next - len(self.journal)
            raise LedgerImbalance(f"{lost} entries of earlier rounds are missing from the journal")
        turnover = {"money": 0.0, "privacy": 0.0}
        for entries in self.journal[self._next :]:
            book = self._checked[entries.currency]
            size = len(book)
            book += np.bincount(entries.credit, entries.amount, size)
            book -= np.bincount(entries.debit, entries.amount, size)
            turnover[entries.currency] += float(entries.amount.sum())
        self._next = len(self.journal)
        for currency, balances in self.balances.items():
            scale = max(turnover[currency], float(np.abs(balances).sum()))
            self._check_currency(currency, balances, _TOLERANCE * scale)
        if not np.array_equal(self.privacy_loss, self._entered_loss):
            owner = int(np.argmax(self.privacy_loss != self._entered_loss))
            raise LedgerImbalance(
                f"the composed loss of owner {owner} is {self.privacy_loss[owner]:.12g} but her "
                f"sales compose to {self._entered_loss[owner]:.12g}: something wrote it directly"
            )

    def _check_currency(self, currency: Currency, balances: Array, tolerance: float) -> None:
        gap = np.abs(balances - self._checked[currency])
        if not gap.max() <= tolerance:
            account = np.array([int(gap.argmax())])
            raise LedgerImbalance(
                f"the {currency} balance of {self.label(account)[0]} is "
                f"{balances[account[0]]:.12g} but its entries sum to "
                f"{self._checked[currency][account[0]]:.12g}: something wrote a balance directly"
            )
        if not abs(float(balances.sum())) <= tolerance:
            raise LedgerImbalance(f"the {currency} accounts sum to {balances.sum():.3g}, not to 0")
        if not abs(float(balances[ESCROW])) <= tolerance:
            raise LedgerImbalance(
                f"{balances[ESCROW]:.12g} of {currency} is left in escrow at the end of the round"
            )
