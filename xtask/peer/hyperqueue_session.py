"""The shards of a command as the tasks of a HyperQueue job, with its server and a worker here."""
# ANCHOR: job
import sys

from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig

shards, command = int(sys.argv[1]), sys.argv[2:]
with LocalCluster() as cluster:
    cluster.start_worker(WorkerConfig(cores=2))
    job = Job()
    for i in range(shards):
        job.program([*command, "--shard", f"{i}/{shards}", "--threads", "1", "--quiet"])
    client = cluster.client()
    client.wait_for_jobs([client.submit(job)])
# ANCHOR_END: job
