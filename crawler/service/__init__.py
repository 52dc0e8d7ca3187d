"""Run sources: one run in a child process, and each source on its schedule.

run              one run of one source: its plan, the run in this process, its outcome
child            the parent's side of runs in child processes: events, limits, stopping; several runs at once
worker           the child's side: call a run, send events and the outcome, obey limits
fork_server      fork children from a process that has imported everything
preload          what that process imports
run_engine       the seam between a scheduler and what makes its runs; runs in children of this process
job_queue        the queue of runs in PostgreSQL: add, take, finish, rescue
queue_engine     the watch's side of it: queue due sources, report how runs ended
queue_worker     the side of `crawler worker`: take runs, make each in a child process
scheduler        start each source when its schedule says so, until a signal
schedule_state   the stored row of a schedule, and whether a start was missed
source_state     the state of each source now
cron             cron expressions and the next starts
adaptive_cron    `cron = "auto"`: learn a cron from publication times
watch_process    a watch as a process beside the newsroom
heartbeat        show other processes which watch runs a source
schedules        the timing of each source; pause, resume, start now
reloader         read the configuration again when it changes
edited_files     change crawler.toml and the rules file in one step, and keep the former files
subscription_file  the subscriptions in crawler.toml: add, change, remove
saved_search     a search as a rule and a subscription to it
edited_rules     a rule of the rules file: change what it looks for, remove it
clustered_store  cluster the articles that wait for it
notifications    alarms and subscribers' messages after runs
notifier         send them in a thread of their own
backfill         walk a source's history, window by window, between the scheduled runs
backfill_progress  how far that is, what is missing, and how long the rest takes
backup           backups of store and configuration: write, check, restore
rebuild          the store made again from the archive
rebuilt_run      one past run, made again from its responses
retention        remove what is older than the policy allows
store_check      what should never be in a store or its archive
store_statistics  how much a store and its archive hold
rematch          stored versions matched again by the rules in force
reprocess        archived pages read again and compared with the stored versions
dead_man_switch  request heartbeat_url after rounds that worked
channel_tests    when each channel was last tested
page_fetch       fetch single pages as a crawl would
site_survey      look at a whole site as a crawl would, for `crawler add`
"""
