"""The run-time checker under pytest: dtypes and shapes of arrays, which no type checker can see.

Hints without an array in them are left to mypy. So bad input still reaches the library's own
validation in tests, as it does in use, and `Self`, which beartype cannot resolve in a method that
is decorated before its class exists, is no concern.
"""

from collections.abc import Callable
from typing import Any, TypeVar, get_args

from beartype import beartype
from jaxtyping import AbstractArray

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])


def has_array(hint: object) -> bool:
    """Tell whether a shaped array occurs in a type hint."""
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(has_array(part) for part in get_args(hint))


def check(function: AnyFunction) -> AnyFunction:
    """Let beartype check the arrays that enter and leave `function` at each call."""
    hints = getattr(function, "__annotations__", {})
    function.__annotations__ = {
        name: hint if has_array(hint) else Any for name, hint in hints.items()
    }
    return beartype(function)
