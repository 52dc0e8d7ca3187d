"""The stream, a file a stage: validate 100 → dedupe 200 → keywords 300 → store 400 (wired in `settings`).

Each stage takes an Article and gives one, evolved; only the last one writes. `newness` says whether what it
writes is news.
"""
