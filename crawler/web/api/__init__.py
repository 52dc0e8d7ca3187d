"""The API under `/api/v1`: the newsroom for other programs, within the rights of each source.

application    the routes together, and their OpenAPI document
reference      the page that shows the document
routing        how a route answers: in a page thread, as JSON with an ETag
problems       errors as problem details (RFC 9457)
parameters     types of parameters, and the cursor that continues a list
models         what answers contain
texts          the models of articles, from entries within the rights of their sources
articles       routes of articles, versions and diffs
stories        routes of stories
search         the route of the search
sources        routes of sources, rules and runs
messages       routes of messages
actions        routes of notes and marks
events         the route of live events
event_feed     reads what is new in the store for the clients of the live events
"""
