"""The item pipelines, one file each: validate 100 → dedupe 200 → keywords 300 → store 400 (see `crawler.settings`).

Each takes an Article and returns it, evolved; only the last one writes. An article that stops on the way raises a class
of `context.drops`. `alert_policy` decides whether a new version is news.
"""
