"""What a column of a table can hold."""

from typing import Literal

Kind = Literal["int", "float", "text"]
"""Text is UTF-8, int 64 bits signed, float 64 bits."""
