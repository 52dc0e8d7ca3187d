"""Downloader middlewares, nearest to the spider first, with the number of each in DOWNLOADER_MIDDLEWARES:

050 request_limit counts the requests of a backfill, and drops those beyond the limit of the day
060 conditional   skips known articles that are not due, and makes other requests for known addresses conditional
100 robots        replaces Scrapy's RobotsTxtMiddleware, which lets some waiting requests through
540 proxy         replaces Scrapy's HttpProxyMiddleware: the proxy of the source, and its password
550 retry         replaces Scrapy's RetryMiddleware: growing delays, Retry-After, dead networks
560 guard         only http and https, no private addresses, no body above the size limit
590 decompress    replaces Scrapy's HttpCompressionMiddleware: truncated bodies are errors
600 redirect      replaces Scrapy's RedirectMiddleware: every redirect has an answer, or an error with a type
880 archive       writes every response as received, redirects and failed tries too, to WARC

Policies that `conditional` uses:
recrawl           which known articles are requested again, and what 404 means
deletions         which articles are missing on lists of whole articles

Others:
replay            download handler and first requests of a replay
resolver          resolves names to public addresses only (TWISTED_DNS_RESOLVER)
network_addresses public and private addresses, without a network
circuit_breaker   which hosts answer, without a network
"""
