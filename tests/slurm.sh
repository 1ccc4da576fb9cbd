#!/usr/bin/env bash
# A SLURM of one node on this machine, for trying profiles/slurm. As root, on Debian or Ubuntu:
#
#   bash tests/slurm.sh install       the packages; nothing is started
#   bash tests/slurm.sh up FOLDER     slurmctld, slurmd, slurmdbd with its database, and munged
#   bash tests/slurm.sh down FOLDER   stops them all
#
# What they write lies in FOLDER, but for a link to their configuration at /etc/slurm/slurm.conf (the SLURM executor of
# Snakemake does not hand SLURM_CONF on to its jobs): a machine that has a configuration there is left alone. Memory is
# held to by the accounting (OverMemoryKill), since a container seldom has cgroups: a job above what it asked for is
# killed within a second or two.
set -euo pipefail

install() {
    export DEBIAN_FRONTEND=noninteractive
    if [ ! -e /usr/sbin/policy-rc.d ]; then  # without it, Debian starts what it installs
        printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
        trap 'rm /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get update -q
    apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 slurm-wlm slurmdbd munge mariadb-server
}

# Runs a command every 0.2 s until it succeeds, for at most a minute.
wait_for() {
    for _ in $(seq 300); do
        timeout 5 "$@" > "$FOLDER/wait.log" 2>&1 && return
        sleep 0.2
    done
    echo "error: no answer from '$*' after a minute; see $FOLDER/*.log" >&2
    cat "$FOLDER/wait.log" >&2
    exit 1
}

up() {
    if [ -e /etc/slurm/slurm.conf ]; then
        echo "error: /etc/slurm/slurm.conf: this machine has a SLURM, which is left alone; stop it and move the file away" >&2
        exit 1
    fi
    mkdir -p "$FOLDER"/{ctld,slurmd,database}
    chmod 755 "$FOLDER"
    local cpus memory host
    host=$(hostname -s)
    cpus=$(nproc)
    memory=$(( $(awk '/MemTotal/ {print int($2 / 1024)}' /proc/meminfo) / 2 ))
    (( memory > 8000 )) && memory=8000

    ln -sfn "$FOLDER/slurm.conf" /etc/slurm/slurm.conf
    (umask 077; head -c 128 /dev/urandom > "$FOLDER/munge.key")
    cat > "$FOLDER/slurm.conf" <<CONF
ClusterName=little
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$FOLDER/munge.socket
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
# Memory is asked for, counted each second, and a job above its own is killed.
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,NoShared
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=16819
AccountingStoragePass=$FOLDER/munge.socket
AccountingStorageTRES=gres/gpu
AccountingStoreFlags=job_comment
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=100000,sched_interval=2,bf_interval=2,batch_sched_delay=0
ReturnToService=2
StateSaveLocation=$FOLDER/ctld
SlurmdSpoolDir=$FOLDER/slurmd
SlurmctldPidFile=$FOLDER/slurmctld.pid
SlurmdPidFile=$FOLDER/slurmd.pid
SlurmctldLogFile=$FOLDER/slurmctld.log
SlurmdLogFile=$FOLDER/slurmd.log
GresTypes=gpu
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus Boards=1 SocketsPerBoard=1 CoresPerSocket=$cpus ThreadsPerCore=1 RealMemory=$memory Gres=gpu:1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=1-0 State=UP
PartitionName=gpu Nodes=ALL MaxTime=1-0 State=UP
CONF
    # A GPU in name only: what asks for one can be scheduled here.
    echo "NodeName=$host Name=gpu File=/dev/null" > "$FOLDER/gres.conf"
    cat > "$FOLDER/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$FOLDER/munge.socket
DbdHost=localhost
DbdPort=16819
SlurmUser=root
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort=16806
StorageUser=slurm
StoragePass=slurm
StorageLoc=slurm
LogFile=$FOLDER/slurmdbd.log
PidFile=$FOLDER/slurmdbd.pid
CONF
    chmod 600 "$FOLDER/slurmdbd.conf"

    munged --force --key-file "$FOLDER/munge.key" --socket "$FOLDER/munge.socket" --pid-file "$FOLDER/munged.pid" \
        --log-file "$FOLDER/munged.log" --seed-file "$FOLDER/munged.seed"

    mariadb-install-db --no-defaults --user=root --datadir="$FOLDER/database" --auth-root-authentication-method=socket \
        --skip-test-db > "$FOLDER/mariadb-install.log" 2>&1
    setsid mariadbd --no-defaults --user=root --datadir="$FOLDER/database" --socket="$FOLDER/mariadb.socket" \
        --bind-address=127.0.0.1 --port=16806 --pid-file="$FOLDER/mariadb.pid" --innodb-flush-log-at-trx-commit=0 \
        > "$FOLDER/mariadb.log" 2>&1 < /dev/null &
    wait_for mariadb --no-defaults --socket="$FOLDER/mariadb.socket" -e 'select 1'
    mariadb --no-defaults --socket="$FOLDER/mariadb.socket" -e \
        "create database slurm; create user slurm@'127.0.0.1' identified by 'slurm'; create user slurm@localhost identified by 'slurm';
         grant all on slurm.* to slurm@'127.0.0.1'; grant all on slurm.* to slurm@localhost;"

    slurmdbd
    wait_for sacctmgr -n show cluster
    sacctmgr -i add cluster little > "$FOLDER/sacctmgr.log"
    sacctmgr -i add account users cluster=little >> "$FOLDER/sacctmgr.log"
    sacctmgr -i add user "$(id -un)" account=users >> "$FOLDER/sacctmgr.log"
    slurmctld
    slurmd
    wait_for sh -c 'sinfo -h -o %T | grep idle'
    sinfo -N -o '%N %P %T %c CPUs %m MB %G'
}

down() {
    local name file
    timeout 10 scancel --user="$(id -un)" || true
    for name in slurmd slurmctld slurmdbd mariadb munged; do
        file="$FOLDER/$name.pid"
        [ -s "$file" ] || continue
        local pid
        pid=$(cat "$file")
        kill "$pid" || true
        wait_for test ! -d "/proc/$pid"
    done
    if [ "$(readlink /etc/slurm/slurm.conf)" = "$FOLDER/slurm.conf" ]; then
        rm /etc/slurm/slurm.conf
    fi
}

FOLDER=${2:-}
[ -z "$FOLDER" ] || { mkdir -p "$FOLDER"; FOLDER=$(realpath "$FOLDER"); export SLURM_CONF="$FOLDER/slurm.conf"; }
case "${1:-}" in
    install) install ;;
    up | down) "$1" ;;
    *) sed -n '2,/^set/p' "$0" | grep '^#' >&2; exit 2 ;;
esac
