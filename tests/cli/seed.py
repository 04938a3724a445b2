"""The seed's spec, and accounts that are as it says."""

from ecr_warden.model.address import AddressKind, trust_policy
from ecr_warden.model.desired import CompiledSpec, RoleSettings
from ecr_warden.model.target import RepositoryTarget, RoleTarget, UserTarget
from ecr_warden.policy.document import Document
from ecr_warden.spec import Valid, load_spec

from tests.contracts.worlds import World
from tests.template.cfn import ROOT

PATH = ROOT / "examples" / "seed" / "access.yaml"
CI, REGISTRY = "111111111111", "222222222222"
REPOSITORY = RepositoryTarget(REGISTRY, "eu-central-1", "shop/checkout")
ROLE = RoleTarget(REGISTRY, "ecr-pusher")
PUSHER = UserTarget(CI, "push-user")
OTHERS = (UserTarget(CI, "pull-user-1"), UserTarget(CI, "pull-user-2"))
USERS = (PUSHER, *OTHERS)


def compiled() -> CompiledSpec:
    """The seed's documents."""
    loaded = load_spec(PATH.read_bytes(), version="v1")
    assert isinstance(loaded, Valid)
    return loaded.compiled


def make_owners(world: World) -> None:
    """Two bare accounts: the repository and the users exist, and nothing else."""
    for target in (REPOSITORY, *USERS):
        world.make(target)


def make_right(world: World) -> None:
    """Everything that the seed stands for."""
    make_owners(world)
    for spec in compiled().targets.values():
        for address, value in spec.documents.items():
            match value:
                case RoleSettings():
                    assert isinstance(spec.target, RoleTarget)
                    trust = spec.documents[trust_policy(spec.target)]
                    assert isinstance(trust, Document)
                    world.make_role(spec.target, value, trust, tagged=True)
                case Document() if address.kind is not AddressKind.TRUST_POLICY:
                    world.put(address, value)
