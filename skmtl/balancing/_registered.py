"""The balancers by name: what `balancer="..."` means, and what the registry-wide tests run over."""

from ._dibs import DiBS
from ._equal import Equal
from ._excess_risk import ExcessRisk
from ._group_dro import GroupDRO
from ._mgda import MGDA
from ._nash import Nash
from ._nash_bargaining import NashBargaining
from ._stch import STCH
from ._uncertainty import Uncertainty
from ._upgrad import UPGrad

BALANCERS = {
    "dibs": DiBS,
    "equal": Equal,
    "excess_risk": ExcessRisk,
    "group_dro": GroupDRO,
    "mgda": MGDA,
    "nash": Nash,
    "nash_bargaining": NashBargaining,
    "stch": STCH,
    "uncertainty": Uncertainty,
    "upgrad": UPGrad,
}
