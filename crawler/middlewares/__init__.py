"""Around the download. Nearest to the spider first, with the place of each in DOWNLOADER_MIDDLEWARES:

060 known.KnownMiddleware            what the store knows: old articles not asked, the others conditionally
100 robots.RobotsMiddleware          instead of Scrapy's RobotsTxtMiddleware, which lets waiting requests through
550 patience.PatienceMiddleware      instead of Scrapy's RetryMiddleware: growing waits, Retry-After, dead networks
560 guard.GuardMiddleware            only http and https, no private addresses, no body past the cap
590 decompress.DecompressMiddleware  instead of Scrapy's HttpCompressionMiddleware: the same, with our errors
880 archive.ArchiveMiddleware        every response as received, redirects and failed tries too, into WARC

`revisits` tells `known` what is due to be looked at again, `listed` what is missing on lists of whole articles.
`stored` has a replay's download handler and first requests.
`resolver.GuardedResolver` belongs to the guard (TWISTED_DNS_RESOLVER). `outcomes` holds the errors they raise,
`address` and `reach` what the guard and patience know without a network.
"""
