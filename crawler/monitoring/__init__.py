"""Judge whether a source is healthy: health, silence, volume, anomalies, drift. Pure functions, without a store.

run_health        health, reason and exit code of a run
publishing_rate   when a source usually publishes, and whether a silence is believable
volume            drops and spikes in the number of articles
run_counts        the names of the counts of a run by which something is decided
run_stats         the measures of a run
anomalies         measures that moved against earlier runs
drift             fields that moved to another place of a page
baseline          what an owner accepted as normal
"""
