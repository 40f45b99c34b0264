"""The trained networks that come with the package, for people who want to name one."""

from collections.abc import Mapping
from typing import Any

# The mechanism by what is stored, where names differ.
_MECHANISMS = {
    "equivariant-net": "equivariant-regret-net",
    "mean-field-auction": "mfg-regret-net",
}


def listing() -> list[dict[str, Any]]:
    """Return the shipped networks: name, the mechanism that takes them, what they were made for."""
    from market_sim.mechanisms.networks.checkpoints import load_network, shipped_networks

    rows = []
    for name in shipped_networks():
        stored = load_network(name)
        auction = stored.metadata.get("auction", stored.kind)
        rows.append(
            {
                "name": name,
                "mechanism": _MECHANISMS.get(auction, auction),
                "trained_for": _market(stored.metadata),
            }
        )
    return rows


def _market(metadata: Mapping[str, Any]) -> str:
    """Write the markets of a network's training in words, as far as its file tells them."""
    law = metadata.get("law", metadata.get("recipe", {}))
    inner = law.get("law", law)
    owners = f"{law['least']} to {law['most']}" if "least" in law else _counts(inner["owners"])
    if "laws" in inner:
        money = f"{inner['money_low']:g} to {inner['money_high']:g}"
        return f"{owners} owners, laws {', '.join(inner['laws'])}, B / N of {money} mean costs"
    parts = [f"{owners} owners", f"caps up to {inner['max_cap']:g}", f"data sizes {inner['sizes']}"]
    if inner.get("owner_law", "fl-market") != "fl-market":
        parts[1:] = [f"{inner['owner_law']} law of the privacy auction"]
    kind = inner.get("budget", "proportional")
    low, high = (inner.get(f"budget_{end}", inner.get(f"rate_{end}")) for end in ("low", "high"))
    return ", ".join([*parts, f"{kind} budgets {low:g} to {high:g}"])


def _counts(owners: Any) -> str:
    numbers = owners if isinstance(owners, list) else [owners]
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
