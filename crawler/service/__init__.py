"""Run sources: one run in a child process, and each source on its schedule.

run              one run of one source, in this process
worker           the child process: call a run, report its end, obey limits
child            the parent's view of one child: events, limits, stopping
outcome          how a run ended, in one sentence
ipc              messages from child to parent
fork_server      fork children from a process that has imported everything
preload          what that process imports
pool             several children at once, for a command or inside an event loop; record crashes
scheduler        start each source when its schedule says so, until a signal
schedule_state   the stored row of a schedule, and whether a start was missed
cron             cron expressions and the next starts
adaptive_cron    `cron = "auto"`: learn a cron from publication times
heartbeat        show other processes which watch runs a source
schedules        the timing of each source; pause, resume, start now
reloader         read the configuration again when it changes
clustered_store  cluster the articles that wait for it
notifications    alarms and subscribers' messages after runs
notifier         send them in a thread of their own
channel_tests    when each channel was last tested
page_fetch       fetch single pages as a crawl would
"""
