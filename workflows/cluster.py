"""The place where stages compute on a cluster: shards submitted as job arrays, and waited for.

Everything that the driver knows is on the disk: it may be killed at any moment and started again,
and then adopts the shards that run, collects what finished and submits what is gone. A shard's
folder is the only way the two sides speak (`workflows.shard_folder`); clocks are never compared
between machines: that a shard lives is seen by its heartbeat changing, against this process's own
clock.

What happens to a shard that ends without all its systems:

- it was stopped before the wall time, or died after finishing some or after a part of them was on
  the disk (molecular dynamics): the rest is submitted again;
- it was stopped twice without finishing any: it is halved, and a system that is alone then gets
  longer wall times, as far as the profile allows, before it is recorded as failed;
- it died twice without finishing any: its systems are computed one by one, the one in flight noted,
  and one that then kills its shard twice is recorded as failed;
- it ended before it began to compute, three times: the profile or the potential is wrong, and the
  run ends with what the shard said.
"""

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from results.spool import SpoolReader
from workflows.errors import WorkflowError
from workflows.places import Keep, ThisProcess
from workflows.profiles import HERE, Profile, time_of
from workflows.scheduler import NoAnswerError, Queue
from workflows.settings import PotentialSettings, from_the_root
from workflows.shard_array import JOB_PREFIX, Group, ShardArray, arrays_in
from workflows.shard_folder import Beat, Result, ShardFolder, ShardOrders
from workflows.tasks import StageWork, stage_slug
from workflows.workstation import batch_system

_MAX_ELEMENTS = 500
"""Elements of one array; SLURM's own limit is 1001 where nobody changed it."""
_GONE_AFTER = 2
"""Looks at the queue in a row that miss a job before it counts as gone."""
_DEATHS, _STOPS, _FALSE_STARTS, _KILLS = 2, 2, 3, 2
_ENDING_S = 30.0
"""How long a job may stay in the queue after its shards have ended; a killed slurmstepd leaves it
there for ever."""
_REMOVALS, _REMOVAL_PAUSE_S = 20, 0.1
_SUBMIT_SILENCE_S = 3600.0
"""How long the scheduler may refuse to take a job for want of an answer."""


class DetachedError(Exception):
    """Everything that can run now is submitted, and the driver was asked not to wait."""


@dataclass
class Cluster:
    """Computes stages in shards on a cluster.

    Attributes:
        folder: where shards live unless the profile says otherwise; compute nodes must see it.
        profiles: all profiles, by name.
        profile: name of the one used.
        detach: submit, and do not wait.
    """

    folder: Path
    profiles: Mapping[str, Profile]
    profile: str
    detach: bool = False

    def settings_here(self, settings: Any) -> Any:
        """The settings for this machine, which may have no GPU."""
        return replace(settings, device="cpu") if hasattr(settings, "device") else settings

    def compute(self, work: StageWork, keep: Keep) -> None:
        """Compute every system in shards.

        Raises:
            DetachedError: with ``detach``, while shards are out.
            WorkflowError: shards do not start, or the scheduler refuses them.
        """
        name = profile_of(work.stage, work.task.name, self.profile, self.profiles)
        if name == HERE:
            ThisProcess().compute(replace(work, settings=self.settings_here(work.settings)), keep)
            return
        profile = self.profiles[name]
        folder = stage_folder(self.folder, profile, work.stage)
        _StageOnCluster(work, keep, name, profile, folder, self.detach).run()


def profile_of(stage: str, task: str, profile: str, profiles: Mapping[str, Profile]) -> str:
    """Name of the profile that a stage runs with: its own, its task's, or the one chosen."""
    special = profiles[profile].stages
    return special.get(stage) or special.get(task) or profile


def stage_folder(folder: Path, profile: Profile, stage: str) -> Path:
    """Where a stage keeps its arrays."""
    return shards_folder(folder, profile) / stage_slug(stage)


def shards_folder(folder: Path, profile: Profile) -> Path:
    """Where all stages of a run that use ``profile`` keep theirs."""
    return folder if profile.folder is None else profile.folder / folder.name


def script_of(cluster: Cluster, profile: str, run: str) -> str:
    """The job script that a profile gives, for an array of a made-up name."""
    chosen = cluster.profiles[profile]
    array = stage_folder(cluster.folder, chosen, "STAGE") / "ARRAY"
    return batch_system(chosen).script(chosen, array, f"{JOB_PREFIX}-{run}", 2)


@dataclass
class _Shard:
    """One shard that is out, as the driver sees it."""

    array: ShardArray
    index: int
    folder: ShardFolder
    group: Group
    reader: SpoolReader = field(init=False)
    finished: int = 0
    beat: Beat | None = None
    beat_at: float = 0.0
    misses: int = 0

    def __post_init__(self) -> None:
        self.reader = SpoolReader(self.folder.spool)

    @property
    def got_on(self) -> bool:
        """Whether it has finished a system, or a part of one is on the disk to go on from."""
        beat = self.folder.read_beat() or self.beat
        return self.finished > 0 or (beat is not None and beat.progress != "")


class _StageOnCluster:
    """One stage's run, from adopting what is out to the last system."""

    def __init__(
        self, work: StageWork, keep: Keep, name: str, profile: Profile, folder: Path, detach: bool
    ) -> None:
        self._work = work
        self._keep = keep
        self._name = name
        self._profile = profile
        self._folder = folder
        self._detach = detach
        self._scheduler = batch_system(profile)
        self._left = {key: position for position, key in enumerate(work.fingerprints)}
        self._out: list[_Shard] = []
        self._waiting: list[Group] = []
        self._ending: dict[tuple[str, int], float] = {}
        self._silent_since: float | None = None

    def run(self) -> None:
        self._adopt()
        covered = {key for shard in self._out for key in shard.group.fingerprints}
        covered |= {key for group in self._waiting for key in group.fingerprints}
        self._waiting += self._split([key for key in self._left if key not in covered])
        while True:
            queue = self._queue()
            for shard in list(self._out):
                self._look_at(shard, queue)
            self._submit()
            self._end_stragglers(queue)
            if not self._left:
                break
            if self._detach and not self._waiting:
                raise DetachedError
            time.sleep(self._profile.poll)
        self._clean_up()

    def _adopt(self) -> None:
        """Take over the arrays that an earlier driver left."""
        unnoted = []
        for array in arrays_in(self._folder):
            try:
                shards = array.shards()
            except WorkflowError:
                continue  # its shards' fingerprints are still left, and will be submitted
            if array.job_id is None:
                unnoted.append((array, shards))
                continue
            self._adopt_array(array, shards)
        if unnoted:
            queue = self._patient_queue()
            for array, shards in unnoted:
                job_id = queue.named(array.job_name)
                if job_id is not None:
                    array.note_job(job_id)
                # Without a number it never got into the queue, or has left it: then its shards
                # count as gone at the first look.
                self._adopt_array(array, shards)

    def _adopt_array(
        self, array: ShardArray, shards: Sequence[tuple[int, ShardFolder, Group]]
    ) -> None:
        """Take over what of an array is out, and end the jobs of what is not.

        Without its folder a shard is settled, and its rest in another array, or it was wiped.
        """
        for index, folder, _ in shards:
            if array.job_id is not None and (folder.is_closed or not folder.exists):
                self._ending[array.job_id, index] = time.monotonic()
        self._take(array, [one for one in shards if one[1].exists])

    def _take(self, array: ShardArray, shards: Iterable[tuple[int, ShardFolder, Group]]) -> None:
        idle = []
        for index, folder, group in shards:
            if folder.is_closed:
                continue
            shard = _Shard(array, index, folder, group, beat_at=time.monotonic())
            self._collect(shard)
            wanted = tuple(key for key in group.fingerprints if key in self._left)
            if wanted:
                shard.group = replace(group, fingerprints=wanted)
                self._out.append(shard)
            else:
                folder.close()
                idle.append(shard)
        for shard in idle:
            self._release(shard)

    def _queue(self) -> Queue | None:
        try:
            return self._scheduler.queue()
        except NoAnswerError:
            return None

    def _patient_queue(self) -> Queue:
        """The queue, however long it takes to answer."""
        while True:
            queue = self._queue()
            if queue is not None:
                return queue
            time.sleep(self._profile.poll)

    def _look_at(self, shard: _Shard, queue: Queue | None) -> None:
        """Collect what a shard finished, and see whether it still lives."""
        ending = shard.folder.read_result()  # before the spool: nothing is written after it
        self._collect(shard)
        if ending is not None:
            self._settle(shard, ending)
            return
        if not shard.folder.exists:
            self._give_up(shard)
            self._again(shard, shard.group)
            return
        beat = shard.folder.read_beat()
        if beat is not None and beat != shard.beat:
            shard.beat, shard.beat_at = beat, time.monotonic()
        if queue is None:
            # Nobody can tell whether it runs; its silence does not count.
            shard.beat_at = max(shard.beat_at, time.monotonic() - self._profile.poll)
            return
        job_id = shard.array.job_id
        job = None if job_id is None else queue.element(job_id, shard.index)
        if job is None or job.state == "ended":
            shard.misses += 1
            if shard.misses >= _GONE_AFTER:
                self._lost(shard)
        elif job.state == "queued":
            shard.misses = 0
            shard.beat_at = time.monotonic()
        else:
            shard.misses = 0
            if time.monotonic() - shard.beat_at > self._profile.heartbeat_timeout:
                self._lost(shard)

    def _collect(self, shard: _Shard) -> None:
        for document in shard.reader.read():
            if document.fingerprint in self._left:
                self._keep(document)
                del self._left[document.fingerprint]
                shard.finished += 1

    def _settle(self, shard: _Shard, ending: Result) -> None:
        """A shard that ended by itself."""
        self._out.remove(shard)
        job_id = shard.array.job_id
        if job_id is not None:
            self._ending[job_id, shard.index] = time.monotonic()
        group = self._rest(shard)
        if ending.ending == "failed":
            group = self._after_false_start(group, ending.message, shard)
        elif ending.ending == "stopped" and not shard.got_on:
            group = replace(group, stops=group.stops + 1)
        self._again(shard, group)
        shard.folder.remove()

    def _lost(self, shard: _Shard) -> None:
        """A shard that died, or that is silent though its job runs."""
        self._collect(shard)
        group = self._rest(shard)
        beat = shard.folder.read_beat() or shard.beat
        self._give_up(shard)
        if beat is not None and beat.phase == "ended":
            # It could say that it failed, but not write it as a result: its disk is full.
            group = self._after_false_start(group, beat.message, shard)
        elif beat is None or beat.phase == "starting":
            if shard.array.job_id is not None:
                group = self._after_false_start(group, "", shard)
        elif shard.got_on:
            group = replace(group, deaths=0)
        elif group.one_by_one and beat.current in group.fingerprints:
            kills = {**group.kills, beat.current: group.kills.get(beat.current, 0) + 1}
            group = replace(group, kills=kills)
        else:
            group = replace(group, deaths=group.deaths + 1)
        self._again(shard, group)

    def _give_up(self, shard: _Shard) -> None:
        """Nobody waits for this shard any more, wherever it is."""
        self._out.remove(shard)
        shard.folder.close()
        self._release(shard)

    def _release(self, shard: _Shard) -> None:
        """End a shard's job if no other shard of it is waited for."""
        job_id = shard.array.job_id
        others = {one.index for one in self._out if one.array == shard.array}
        if job_id is not None and shard.index not in others:
            with suppress(NoAnswerError):
                self._scheduler.cancel(job_id, shard.index)
            self._ending[job_id, shard.index] = time.monotonic()

    def _rest(self, shard: _Shard) -> Group:
        """What a shard leaves to be done; after progress, with its record wiped."""
        group = shard.group
        left = tuple(key for key in group.fingerprints if key in self._left)
        if shard.got_on:
            return replace(group, fingerprints=left, deaths=0, stops=0, false_starts=0)
        return replace(group, fingerprints=left)

    def _after_false_start(self, group: Group, message: str, shard: _Shard) -> Group:
        failed = replace(group, false_starts=group.false_starts + 1)
        # One that says why will say it again; one that was killed may have had bad luck.
        if failed.false_starts >= (_FALSE_STARTS if message else 2 * _FALSE_STARTS):
            raise WorkflowError(
                f"{self._work.stage}: a shard failed {failed.false_starts} times before it "
                f"finished anything: {message or _last_words(shard)}; mend it and run "
                "`lithiophile resume`"
            )
        return failed

    def _again(self, shard: _Shard, group: Group) -> None:
        """Put what is left of a shard where its history sends it."""
        if group.kills:
            for key, kills in group.kills.items():
                if kills >= _KILLS and key in self._left:
                    self._record_failure(
                        key, f"killed its shard {kills} times alone in flight: {_last_words(shard)}"
                    )
            group = replace(
                group, fingerprints=tuple(key for key in group.fingerprints if key in self._left)
            )
        if not group.fingerprints:
            return
        if group.stops >= _STOPS:
            if len(group.fingerprints) == 1:
                self._longer(group)
                return
            half = len(group.fingerprints) // 2
            for part in (group.fingerprints[:half], group.fingerprints[half:]):
                self._waiting.append(Group(part))
            return
        if group.deaths >= _DEATHS:
            group = replace(group, one_by_one=True)
        self._waiting.append(group)

    def _longer(self, group: Group) -> None:
        """Try a system that is alone with twice the wall time, if the profile allows more."""
        profile = self._profile_for(group)
        if profile.time_s < profile.max_time_s:
            longer = time_of(min(2 * profile.time_s, profile.max_time_s))
            # That a wall time is too short was seen twice before; of a longer one, once is enough.
            self._waiting.append(replace(group, time=longer, stops=_STOPS - 1))
            return
        times = "" if group.time else f", {group.stops} times"
        self._record_failure(
            group.fingerprints[0], f"not done within the wall time of {profile.time}{times}"
        )

    def _profile_for(self, group: Group) -> Profile:
        """The profile with the wall time that ``group`` needs."""
        return self._profile.model_copy(update={"time": group.time or self._profile.time})

    def _record_failure(self, fingerprint: str, reason: str) -> None:
        position = self._left[fingerprint]
        self._keep(self._work.lost_document(position, " ".join(reason.split())))
        del self._left[fingerprint]

    def _split(self, fingerprints: Sequence[str]) -> list[Group]:
        """Groups of as many atoms as the profile gives a shard, the largest systems first.

        Systems of like size then share a batch, and the shard that takes longest starts early.
        """
        sizes = {
            key: sum(len(one) for one in self._work.systems[self._left[key]])
            for key in fingerprints
        }
        groups: list[Group] = []
        atoms, members = 0, list[str]()
        for key in sorted(fingerprints, key=lambda one: -sizes[one]):
            if members and atoms + sizes[key] > self._profile.atoms_per_shard:
                groups.append(Group(tuple(members)))
                atoms, members = 0, []
            atoms += sizes[key]
            members.append(key)
        return [*groups, Group(tuple(members))] if members else groups

    def _submit(self) -> None:
        """Put everything that waits into arrays and submit them.

        Not what a shard that was given up has finished meanwhile.
        """
        self._waiting = [
            replace(group, fingerprints=left)
            for group in self._waiting
            if (left := tuple(key for key in group.fingerprints if key in self._left))
        ]
        per_array = _MAX_ELEMENTS * self._profile.shards_per_job
        self._waiting.sort(key=lambda group: group.time)  # of which an array has one
        while self._waiting:
            alike = [group for group in self._waiting if group.time == self._waiting[0].time]
            groups = alike[:per_array]
            if not self._submit_array(groups):
                return
            del self._waiting[: len(groups)]

    def _submit_array(self, groups: Sequence[Group]) -> bool:
        """Whether the scheduler took an array of ``groups``."""
        named = [(f"shard-{number:04}", group) for number, group in enumerate(groups, start=1)]
        per_job = self._profile.shards_per_job
        elements = [named[start : start + per_job] for start in range(0, len(named), per_job)]
        array = None
        try:
            array = ShardArray.create(self._folder, self._name, elements)
            for _, folder, group in array.shards():
                self._write_shard(folder, group)
            script = array.path / "job.sh"
            profile = self._profile_for(groups[0])
            script.write_text(
                self._scheduler.script(profile, array.path, array.job_name, len(elements))
            )
            job_id = self._scheduler.submit(script)
        except NoAnswerError as error:
            assert array is not None
            return self._not_submitted(array, str(error))
        except OSError as error:
            self._forget(array)
            raise WorkflowError(
                f"{self._work.stage}: cannot write {error.filename or self._folder} "
                f"({error.strerror}); free the disk or its quota, or set the profile's folder, "
                "and run `lithiophile resume`"
            ) from error
        except WorkflowError:
            self._forget(array)
            raise
        self._silent_since = None
        array.note_job(job_id)
        self._take(array, array.shards())
        return True

    def _not_submitted(self, array: ShardArray, reason: str) -> bool:
        """Nobody said whether the job was taken: look for it, or try again at the next look."""
        queue = self._queue()
        if queue is not None and (job_id := queue.named(array.job_name)) is not None:
            array.note_job(job_id)
            self._take(array, array.shards())
            return True
        for _, folder, _group in array.shards():
            folder.close()
        now = time.monotonic()
        self._silent_since = self._silent_since or now
        if now - self._silent_since > _SUBMIT_SILENCE_S:
            raise WorkflowError(
                f"{self._work.stage}: the scheduler has taken no job for "
                f"{_SUBMIT_SILENCE_S / 60:.0f} min ({reason}); run `lithiophile resume` later"
            )
        return False

    @staticmethod
    def _forget(array: ShardArray | None) -> None:
        if array is not None:
            shutil.rmtree(array.path, ignore_errors=True)

    def _write_shard(self, folder: ShardFolder, group: Group) -> None:
        work, profile = self._work, self._profile_for(group)
        positions = [self._left[key] for key in group.fingerprints]
        settings = work.settings
        if hasattr(settings, "device"):
            settings = replace(settings, device=profile.device)
        if isinstance(settings, PotentialSettings):
            settings = from_the_root(settings)
        part = replace(
            work,
            settings=settings,
            systems=[work.systems[i] for i in positions],
            fingerprints=list(group.fingerprints),
        )
        orders = ShardOrders(
            beat_s=profile.heartbeat,
            time_limit_s=profile.time_s,
            grace_s=min(profile.signal_before, profile.time_s / 2),
            one_by_one=group.one_by_one,
        )
        folder.write_input(part, orders)

    def _end_stragglers(self, queue: Queue | None) -> None:
        """Cancel jobs that stay in the queue though all their shards have ended."""
        if queue is None:
            return
        busy = {(shard.array.job_id, shard.index) for shard in self._out}
        for (job_id, index), since in list(self._ending.items()):
            job = queue.element(job_id, index)
            if job is None:
                del self._ending[job_id, index]
            elif (job_id, index) not in busy and time.monotonic() - since > _ENDING_S:
                with suppress(NoAnswerError):
                    self._scheduler.cancel(job_id, index)
                    self._ending[job_id, index] = time.monotonic()

    def _clean_up(self) -> None:
        """Leave no job and no folder of a stage that is done."""
        for shard in self._out:
            shard.folder.close()
        for array in arrays_in(self._folder):
            if array.job_id is not None and self._ending_or_out(array.job_id):
                with suppress(NoAnswerError):
                    self._scheduler.cancel(array.job_id)
        _remove(self._folder)
        with suppress(OSError):
            self._folder.parent.rmdir()  # of the last stage that was out

    def _ending_or_out(self, job_id: str) -> bool:
        return any(job_id == one for one, _ in self._ending) or any(
            shard.array.job_id == job_id for shard in self._out
        )


def _remove(folder: Path) -> None:
    """Remove a folder into which a shard that has finished may just be writing its last beat."""
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_REMOVAL_PAUSE_S)


def _last_words(shard: _Shard) -> str:
    """What a shard printed at last, on one line."""
    said = " ".join(shard.array.output(shard.index).split())
    return said[-300:] or "it said nothing"
