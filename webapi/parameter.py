"""A parameter of a query, and the parameters of one query, each understood once: pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, TypeVar

import msgspec

from pipeline.errors import BadParameter
from webapi.search import Unclear

T = TypeVar("T")
Pairs = Iterable[tuple[str, str]]


class Parameter(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A parameter: `understand` takes its text and raises ValueError with what is expected.

    `schema` is JSON Schema without its default; an absent parameter is `default`.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    understand: Callable[[str], T]
    example: str | int
    default: T


class Given:
    """The parameters of one query."""

    def __init__(self, pairs: Pairs, known: Iterable[Parameter[Any]]) -> None:
        """Raises BadParameter for one that is unknown or repeated."""
        names = [parameter.name for parameter in known]
        found: dict[str, str] = {}
        for name, text in pairs:
            if name == "_":
                continue
            if name not in names:
                raise BadParameter(name[:100], f"no such parameter; there are {', '.join(names) or 'none'}")
            if name in found:
                raise BadParameter(name, "given more than once")
            found[name] = text
        self._texts = {name: text for name, text in found.items() if text}

    def __contains__(self, parameter: Parameter[Any]) -> bool:
        """Whether it is there, and not empty."""
        return parameter.name in self._texts

    def read(self, parameter: Parameter[T]) -> T:
        """The parameter's value, its default where it is absent. Raises BadParameter."""
        if (text := self._texts.get(parameter.name)) is None:
            return parameter.default
        try:
            return parameter.understand(text)
        except Unclear as error:
            raise BadParameter(parameter.name, str(error), error.character) from None
        except ValueError as error:
            raise BadParameter(parameter.name, str(error)) from None
