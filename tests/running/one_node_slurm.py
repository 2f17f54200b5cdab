"""A Slurm cluster of one node that lives in a folder, from Debian's slurm-wlm and munge."""

import getpass
import os
import platform
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DAEMONS = ("munged", "slurmctld", "slurmd")
SETTINGS = """
ClusterName=voxbench
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
ReturnToService=2
KillWait=15
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs=8 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"


def lacking() -> str | None:
    """The first of the programs that is not installed."""
    programs = (*DAEMONS, "sbatch", "squeue", "srun", "scontrol", "scancel")
    return next((name for name in programs if not shutil.which(name, path=PATH)), None)


@contextmanager
def one_node_slurm(folder: Path) -> Iterator[dict[str, str]]:
    """Start the daemons, give the environment in which commands find them, and end them."""
    for name in ("state", "spool"):
        (folder / name).mkdir(parents=True)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    host = platform.node().partition(".")[0]
    settings = folder / "slurm.conf"
    settings.write_text(
        SETTINGS.format(host=host, user=getpass.getuser(), folder=folder, ports=_free_ports())
    )
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    environment = {"SLURM_CONF": str(settings), "PATH": PATH}
    munge = [f"--{name}={folder}/munge.{name}" for name in ("socket", "seed-file")]
    munge += [f"--{name}={folder}/munged.{name}" for name in ("pid-file", "log-file")]
    commands = [
        ["munged", "--foreground", "--force", f"--key-file={key}", *munge],
        ["slurmctld", "-D", "-c"],
        ["slurmd", "-D", "-N", host],
    ]
    running: list[subprocess.Popen[bytes]] = []
    try:
        for command in commands:
            with (folder / f"{command[0]}.out").open("wb") as log:
                running.append(
                    subprocess.Popen(
                        command, env={**os.environ, **environment}, stdout=log, stderr=log
                    )
                )
            _until(lambda: (folder / "munge.socket").exists(), folder)
        _until(lambda: asked(environment, "sinfo", "-h", "-o", "%t").strip() == "idle", folder)
        yield environment
    finally:
        asked(environment, "scancel", "--user", getpass.getuser())
        _until(lambda: not asked(environment, "squeue", "-h"), folder)
        for process in reversed(running):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def asked(environment: dict[str, str], *words: str) -> str:
    """What a command of Slurm prints; nothing while it can't."""
    done = subprocess.run(
        words, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60
    )
    return done.stdout


def _until(reached, folder: Path, limit_s: float = 60.0) -> None:
    end = time.monotonic() + limit_s
    while not reached():
        if time.monotonic() > end:
            said = [f"{log}:\n{log.read_text()[-2000:]}" for log in folder.glob("*.out")]
            raise TimeoutError("\n".join(said))
        time.sleep(0.2)


def _free_ports() -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
