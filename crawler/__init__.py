"""A crawler that an analyst trusts: what stood on a page, when, what it was about, and whether we could see it at all.

One sentence: *a snapshot goes in, an article comes out, the last stage writes, outputs read.*

    response → Snapshot → page → Article → validate → dedupe → keywords → store → outbox → alerts
                                                                          ↘ feeds · exports (all read the store)

The plan of the house; a room may know only rooms further down:

    __main__ · cli      commands, one a file
    schedule · replay   when each source runs · today's extraction over stored pages
    process             one run in a child process of its own
    run · feeds · alerts         one source, once, in this process · writers of files · what people are told
    entries             what outputs show of a story, in the reader's language
    rights              the one door to article text that leaves the machine
    settings · spiders · middlewares · pipelines · extensions     the Scrapy side, wired in `settings`
    platforms           families of sites on one content management system
    source · archive · store      what every source shares · pages at rest (WARC) · memory (SQL)
    extract · keywords · dedupe · health   Snapshot → values · what matters · what is the same · is the source well
    config · snapshot · text      what an owner may set · one response at rest · plain text of en, ru, kk
    defaults            what the program ships with: rules, and files that commands copy
    items · errors      the nouns, frozen · every deliberate exception
"""
