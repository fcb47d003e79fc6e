"""The balancers by name: what `balancer="..."` means, and what the registry-wide tests run over."""

from ._aligned_mtl import AlignedMTL
from ._cagrad import CAGrad
from ._config import ConFIG
from ._db_mtl import DBMTL
from ._dibs import DiBS
from ._dualproj import DualProj
from ._dwa import DWA
from ._equal import Equal
from ._excess_risk import ExcessRisk
from ._fairgrad import FairGrad
from ._famo import FAMO
from ._gls import GLS
from ._graddrop import GradDrop
from ._gradnorm import GradNorm
from ._gradvac import GradVac
from ._group_dro import GroupDRO
from ._imtl_g import IMTLG
from ._imtl_l import IMTLL
from ._ldc import LDC
from ._mgda import MGDA
from ._moco import MoCo
from ._nash import Nash
from ._nash_bargaining import NashBargaining
from ._pcgrad import PCGrad
from ._rlw import RLW
from ._stch import STCH
from ._task_tension import TaskTension
from ._uncertainty import Uncertainty
from ._upgrad import UPGrad

BALANCERS = {
    "aligned_mtl": AlignedMTL,
    "cagrad": CAGrad,
    "config": ConFIG,
    "db_mtl": DBMTL,
    "dibs": DiBS,
    "dualproj": DualProj,
    "dwa": DWA,
    "equal": Equal,
    "excess_risk": ExcessRisk,
    "fairgrad": FairGrad,
    "famo": FAMO,
    "gls": GLS,
    "graddrop": GradDrop,
    "gradnorm": GradNorm,
    "gradvac": GradVac,
    "group_dro": GroupDRO,
    "imtl_g": IMTLG,
    "imtl_l": IMTLL,
    "ldc": LDC,
    "mgda": MGDA,
    "moco": MoCo,
    "nash": Nash,
    "nash_bargaining": NashBargaining,
    "pcgrad": PCGrad,
    "rlw": RLW,
    "stch": STCH,
    "task_tension": TaskTension,
    "uncertainty": Uncertainty,
    "upgrad": UPGrad,
}
