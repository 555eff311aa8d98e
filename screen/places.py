"""From what was asked for to the place where a campaign's stages compute."""

from screen.errors import CampaignError
from workflows.cluster import Cluster, script_of
from workflows.places import Place, ThisProcess
from workflows.profiles import HERE, find_profile, read_profiles
from workflows.run_folder import RunFolder, RunRequest


def place_of(request: RunRequest, *, detach: bool = False) -> Place:
    """Where a run computes.

    Args:
        request: what was asked for.
        detach: submit and do not wait.

    Raises:
        CampaignError: options that do not go together.
        WorkflowError: the profiles cannot be read, or there is no such profile.
    """
    if request.on == "here":
        for option, given in (("--profile", request.profile is not None), ("--detach", detach)):
            if given:
                raise CampaignError(
                    f"{option}: is for clusters; add --on slurm, pbs or workstation"
                )
        return ThisProcess()
    profiles = read_profiles(request.profiles)
    name = find_profile(request.profile, profiles)
    for used in {name, *profiles[name].stages.values()} - {HERE}:
        scheduler = profiles[used].scheduler
        if scheduler != request.on:
            raise CampaignError(
                f"--on = {request.on}: profile {used!r} is for {scheduler}; "
                f"name another profile, or --on {scheduler}"
            )
    folder = RunFolder.beside(request.database, request.name).shards
    return Cluster(folder, profiles, name, detach)


def scripts_of(request: RunRequest, place: Place) -> str:
    """The job script of every profile that a run uses, each under a line that names it.

    Raises:
        CampaignError: the run submits nothing.
    """
    if not isinstance(place, Cluster):
        raise CampaignError("--dry-run: prints job scripts; add --on slurm, pbs or workstation")
    special = place.profiles[place.profile].stages
    uses = {
        name: [stage for stage, other in special.items() if other == name]
        for name in (place.profile, *special.values())
    }
    parts = []
    for name, stages in uses.items():
        what = ", ".join(stages) if stages else "every other stage"
        head = f"# profile {name}: {what}\n"
        if name == HERE:
            parts.append(f"{head}# computed by the driver itself\n")
        else:
            parts.append(f"{head}{script_of(place, name, request.name)}\n")
    return "\n".join(parts)
