"""Page objects: one snapshot (an HTTP response) in, articles or links out.

snapshot         Snapshot: one HTTP response
site             Site: what a page class must know of its source; Reading: what a page yielded
base             Page, ArticlePage and `read_snapshot`, the one way from a snapshot to articles and links
listing          ListingPage: a page that lists articles
records          the records of a page, read one by one
feed             RSS and Atom
sitemap          sitemaps and news sitemaps
feed_articles    a feed with whole articles
telegram         the preview of a Telegram channel
wordpress        posts of WordPress's interface
blocks           a page as a sequence of lines, from HTML or plain text
markup           HTML → tree, of any depth
boilerplate      lines of a page that are no part of its article
metadata         JSON-LD
doubts           what is doubtful about an article: an early end, a wrong encoding, impossible times
press_release    datelines and attribution lines of press releases
refusal          challenge pages, closed gates, outages, JavaScript shells
tolerant_json    JSON with raw control characters, broken bytes, comments or endless nesting
structure        a page's structure: the path of each field, a hash of the template
govkz            gov.kz: answers of its data interface, list pages
govkz_rendered   gov.kz: article pages as a browser renders them, text captures
ktkz             addresses of kt.kz, which two sources share

Page objects use no network, clock or database: the same snapshot always yields the same reading.
"""
