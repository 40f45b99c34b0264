"""The one hierarchy of errors: every failure the library foresees is a `MarketSimError`.

A message is one sentence that names what was given, what was expected and what to do.
"""


class MarketSimError(Exception):
    """Base of every error that the library raises on purpose."""


class InvalidInput(MarketSimError, ValueError):
    """An argument is outside its domain: negative, not finite, empty, of another shape, unknown."""


class ScenarioError(InvalidInput):
    """A scenario file or a setting given on the command line cannot be used."""


class DataUnavailable(MarketSimError):
    """A data set is neither on this machine nor could it be fetched."""


class ChecksumMismatch(DataUnavailable):
    """A data file is there but its content is not the published one."""


class LedgerImbalance(MarketSimError):
    """Money or privacy was created or lost between two entries of the ledger."""


class ResultsError(MarketSimError):
    """A results folder cannot be written, read, or continued."""


class AuditError(MarketSimError):
    """A mechanism broke its interface while it was audited."""


class TrainingError(MarketSimError):
    """Training of a network cannot go on: its loss is not finite."""


class MarketSimWarning(UserWarning):
    """A setting is allowed but means little; the message gives the reason."""
