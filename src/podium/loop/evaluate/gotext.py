"""How Go prints what messages quote."""

from __future__ import annotations

from podium.clients.kubernetes.objects import LabelSelector


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
