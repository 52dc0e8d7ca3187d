"""The command line.

app           the app: every command in its group
commands/     one file for a command, or for a group of commands
options       arguments and options that several commands share
selection     what arguments name: a query, or one stored article
time_options  `--since`, `--until` and `--max-age` → times
console       lines for people, JSON lines, text input
help          help output in groups
stop_signals  end a command at Ctrl-C or SIGTERM
garbage_collection  how often Python searches its objects for cycles
progress      the progress and the result of runs (`crawler crawl`)
task_progress  how far a long command is
store_statistics  the tables of `crawler store stats`
index_progress  add versions to the full-text index, with progress
article_file  the file of `crawler crawl -o`
releases      the language versions of a press release as lines
live_check    one known live page of each page class (`crawler check`)
setup_questions  what `crawler init` asks
"""
