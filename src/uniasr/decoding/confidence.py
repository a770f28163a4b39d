"""Probabilities of tokens as confidences: how often tokens of this probability are right."""

from __future__ import annotations

from math import exp, inf, log, log1p


def confidence(log_probability: float, slope: float = 1.0, offset: float = 0.0) -> float:
    """The confidence of a token, in 0 to 1; never less for a likelier token.

    Args:
        log_probability: natural logarithm of the token's probability at its step; rounding may put it above 0.
        slope: above 0.
        offset: added to the log-odds once they are multiplied by `slope`; without both the probability itself.
    """
    probability = min(1.0, exp(log_probability))
    if slope == 1.0 and offset == 0.0:
        return probability
    return logistic(slope * log_odds(probability) + offset)


def log_odds(probability: float) -> float:
    """The natural logarithm of p / (1 - p)."""
    if probability <= 0.0:
        return -inf
    return inf if probability >= 1.0 else log(probability) - log1p(-probability)


def logistic(log_odds: float) -> float:
    """The probability that has these log-odds."""
    if log_odds >= 0.0:
        return 1.0 / (1.0 + exp(-log_odds))
    odds = exp(log_odds)
    return odds / (1.0 + odds)
