"""How Kubernetes prints label selectors: in messages, and as they travel to an API."""

from __future__ import annotations

from podium.clients.kubernetes.objects import LabelSelector, Requirement


def selector(value: LabelSelector | None) -> str:
    """A `*metav1.LabelSelector` under %v."""
    if value is None:
        return "nil"
    labels = "".join(f"{key}: {text}," for key, text in sorted((value.match_labels or {}).items()))
    expressions = "".join(
        f"LabelSelectorRequirement{{Key:{one.key},Operator:{one.operator},Values:[{' '.join(one.values or ())}],}},"
        for one in value.match_expressions or ()
    )
    return (
        f"&LabelSelector{{MatchLabels:map[string]string{{{labels}}},"
        f"MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}"
    )


def sent(value: LabelSelector | None) -> str:
    """A label selector as it travels to an API: the requirements by key. Raises ValueError as upstream words it."""
    if value is None:
        return ""
    pairs = [(key, f"{key}={text}") for key, text in sorted((value.match_labels or {}).items())]
    rest = [(one.key, _requirement(one)) for one in value.match_expressions or ()]
    return ",".join(text for _, text in sorted([*pairs, *rest], key=lambda pair: pair[0]))


def _requirement(one: Requirement) -> str:
    values = sorted(one.values or ())
    if one.operator in ("In", "NotIn"):
        if not values:
            raise ValueError("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
        return f"{one.key} {one.operator.lower()} ({','.join(values)})"
    if one.operator not in ("Exists", "DoesNotExist"):
        raise ValueError(f'"{one.operator}" is not a valid label selector operator')
    if values:
        shown = "[" + ",".join(f'"{value}"' for value in one.values or ()) + "]"
        raise ValueError(f"values: Invalid value: {shown}: values set must be empty for exists and does not exist")
    return one.key if one.operator == "Exists" else f"!{one.key}"
