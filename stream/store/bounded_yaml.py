"""
YAML of a stranger → plain data: nothing of it grows beyond what was read, and what it says wrongly is one error.

Aliases and merge keys repeat a part: nine lines of them are a billion values. PyYAML's own conversions raise what they
will for a date, number or tag that is wrong.
"""

from __future__ import annotations

import yaml

__all__ = ["NotYaml", "read_yaml"]

_LARGEST = 4 * 1024**2
"""Characters and values, all repetitions counted: twice what a file of 1 MB without them can have."""


class NotYaml(ValueError):
    """A text that is not YAML of plain values; the message says why."""


def read_yaml(content: bytes) -> object:
    """
    Args:
        content: one document.
    Returns: mappings, lists and scalars, as `yaml.safe_load` has them.
    Raises: NotYaml.
    """
    try:
        loader = yaml.SafeLoader(content)
        node = loader.get_single_node()
        if node is None:
            return None
        if _size(node, {}) > _LARGEST:
            raise NotYaml("its aliases repeat so much that it has more than can be held")
        return loader.construct_document(node)
    except NotYaml:
        raise
    except (yaml.YAMLError, RecursionError) as error:
        raise NotYaml(str(error)) from error
    except (ValueError, LookupError, TypeError, AttributeError, ArithmeticError) as error:
        raise NotYaml(f"a value is not what it is marked as: {error}") from error


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Of a part with all its repetitions; `known` has those that were counted, by identity."""
    if id(node) in known:
        if known[id(node)] < 0:
            raise NotYaml("a part contains itself")
        return known[id(node)]
    known[id(node)] = -1
    if isinstance(node, yaml.MappingNode):
        size = 1 + sum(_size(key, known) + _size(value, known) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size = 1 + sum(_size(value, known) for value in node.value)
    else:
        size = 1 + len(node.value)
    known[id(node)] = size
    return size
