"""What spiders, middlewares, pipelines and extensions of one run share.

modes.py               RunMode and Storage: where a run reads, and where it stores
configured_store.py    the store of the configuration, unless it was lost
run_context.py         RunContext: the state of one run, made once and read by every component
known_articles.py      KnownArticles: what the store has of the run's articles
request_meta.py        RequestMeta: what this project notes on a request
response_snapshots.py  responses of live runs as Snapshots
backoff.py             retries with growing delays
drops.py               why an article leaves the pipelines early
exceptions.py          why a request ends without a response

Import the modules, not this package: `modes` is read by processes that never load Scrapy.
"""
