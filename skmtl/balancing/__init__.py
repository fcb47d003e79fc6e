"""Weights for the tasks at each step: from losses, gradients, excess risks and bargaining.

Each strategy is one file; :func:`balance` makes one step for people who bring their own gradients.
"""

from ._balance import BalanceResult, balance, resolve_balancer
from ._balancer import Answer, Balancer, State
from ._registered import (
    BALANCERS,
    MGDA,
    STCH,
    DiBS,
    Equal,
    ExcessRisk,
    GroupDRO,
    Nash,
    NashBargaining,
    Uncertainty,
    UPGrad,
)
from ._stats import TaskStats

__all__ = [
    "BALANCERS",
    "MGDA",
    "STCH",
    "Answer",
    "BalanceResult",
    "Balancer",
    "DiBS",
    "Equal",
    "ExcessRisk",
    "GroupDRO",
    "Nash",
    "NashBargaining",
    "State",
    "TaskStats",
    "UPGrad",
    "Uncertainty",
    "balance",
    "resolve_balancer",
]
