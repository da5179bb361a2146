"""What messages call a schema's types."""

from __future__ import annotations

from stream.codec.nodes import Array, Fixed, Map, Node, Primitive, Union, strip_null

__all__ = ["type_name"]


def type_name(node: Node) -> str:
    """A type's name for people: `double`, `timestamp-millis`, `array of int`, `enum Colour`."""
    if isinstance(node, Primitive | Fixed) and node.logical == "decimal":
        return f"decimal({node.precision},{node.scale})"
    if isinstance(node, Primitive):
        return node.logical or node.type
    if isinstance(node, Array):
        return f"array of {type_name(strip_null(node.items)[0])}"
    if isinstance(node, Map):
        return f"map of {type_name(strip_null(node.values)[0])}"
    if isinstance(node, Union):
        return " or ".join(type_name(branch) for branch in node.branches) or "nothing"
    return f"{type(node).__name__.lower()} {node.name}"
