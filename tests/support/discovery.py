"""All public implementations of an abstraction, so that contract tests meet a new one unasked."""

import dataclasses
import inspect
import itertools
from typing import Literal, get_args, get_origin, get_type_hints

import market_sim as ms


def implementations(abstraction):
    """Return every public concrete subclass."""
    public = [getattr(ms, name) for name in ms.__all__]
    return [
        item
        for item in public
        if inspect.isclass(item) and issubclass(item, abstraction) and not inspect.isabstract(item)
    ]


def instances(abstraction):
    """Return one instance of each implementation for every choice of named and yes-no settings."""
    found = []
    for kind in implementations(abstraction):
        choices = [
            [(name, value) for value in (get_args(hint) or (True, False))]
            for name, hint in get_type_hints(kind).items()
            if (get_origin(hint) is Literal or hint is bool)
            and name in {f.name for f in dataclasses.fields(kind)}
        ]
        found += [kind(**dict(settings)) for settings in itertools.product(*choices)]
    return found


def by_name(instance):
    """Return what to call a case in the list of tests."""
    return instance.name
