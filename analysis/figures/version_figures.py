"""The figures of markets for versions of one model, by name."""

from analysis.figures import (
    version_accuracy,
    version_arbitrage,
    version_menu,
    version_misreports,
    version_owners,
    version_profit,
    version_survey,
    version_welfare,
)
from analysis.figures.spec import FigureSpec
from analysis.figures.version_parts import sweeps

VERSION_FIGURES: dict[str, FigureSpec] = {
    "version-menu": FigureSpec(
        version_menu.draw,
        ("versions",),
        ("versions",),
        "prices of versions, ideal prices and where no arbitrage is",
    ),
    "version-survey": FigureSpec(
        version_survey.draw,
        ("versions",),
        ("version_markets",),
        "revenue from versions against the number of surveyed buyers",
        lambda run: sweeps(run, "surveyed"),
    ),
    "version-accuracy": FigureSpec(
        version_accuracy.draw,
        ("versions",),
        ("versions", "version_markets"),
        "accuracy and price of the versions that were sold",
        version_accuracy.learned,
    ),
    "version-owners": FigureSpec(
        version_owners.draw,
        ("versions",),
        ("version_owners",),
        "privacy, pay and utility of owners against their cost",
        version_owners.fits,
    ),
    "version-profit": FigureSpec(
        version_profit.draw,
        ("versions",),
        ("version_markets",),
        "the broker's profit against her pool and her cut",
        lambda run: sweeps(run, "pool", "cut"),
    ),
    "version-welfare": FigureSpec(
        version_welfare.draw,
        ("versions",),
        ("version_markets",),
        "gains of broker, owners and buyers, beside a flat price and an auction",
    ),
    "version-arbitrage": FigureSpec(
        version_arbitrage.draw,
        ("versions",),
        ("version_markets", "version_buyers"),
        "what buyers gain who look for cheaper combinations of versions",
        version_arbitrage.has_arbitrageurs,
    ),
    "version-misreports": FigureSpec(
        version_misreports.draw,
        ("versions",),
        ("version_owners",),
        "what owners gain by misreporting their costs",
        version_misreports.lies,
    ),
}
"""Their specifications."""
